#!/usr/bin/env python3
"""`leads bench`, by the name that operators know: measures a running server against the 500 ms promise."""

import sys

from console.cli import app

if __name__ == "__main__":
    sys.exit(app(["bench", *sys.argv[1:]]))
