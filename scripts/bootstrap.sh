#!/bin/sh
# Finds a Python that is new enough and lets it prepare everything: sh scripts/bootstrap.sh run|test
set -eu
cd "$(dirname "$0")/.."
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" scripts/bootstrap.py "$@"
    fi
done
echo "Lead Explorer needs Python 3.11 or newer. As root, run: apt-get update && apt-get install -y python3 python3-venv" >&2
exit 2
