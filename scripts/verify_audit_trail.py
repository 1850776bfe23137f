#!/usr/bin/env python3
"""`leads audit verify`, by the name that operators know: recomputes the trail and names every finding."""

import sys

from console.cli import app

if __name__ == "__main__":
    sys.exit(app(["audit", "verify", *sys.argv[1:]]))
