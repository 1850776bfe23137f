"""`python -m console.cli`: how the supervisor starts its children, whatever folder `leads` was installed in."""

import sys

from console.cli import main

sys.exit(main())
