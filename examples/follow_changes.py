"""Follow every change of a Lead Explorer, one JSON line each, and go on where the last run stopped.

    LEADS_TOKEN=le_... python examples/follow_changes.py http://127.0.0.1:8000/api/v1 followed.json >> changes.jsonl

The token needs the scope audit:read. `followed.json` keeps the place; it is written after the lines, so a run that is
killed in between prints a page again: skip what you have by log_index, or keep place and lines in one transaction.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

WAIT = 25


def follow(api: str, token: str, place: Path) -> None:
    """Print each entry, in the log's order, for ever."""
    after = json.loads(place.read_text())["next"] if place.exists() else 0
    while True:
        page = _page(api, token, after)
        for entry in page["items"]:
            print(json.dumps(entry), flush=True)
        after = page["next"]
        draft = place.with_suffix(".draft")
        draft.write_text(json.dumps({"next": after}))
        draft.replace(place)


def _page(api: str, token: str, after: int) -> Any:
    """What comes after the first `after` entries. A server that is away is asked again."""
    request = urllib.request.Request(f"{api}/changes?after={after}&wait={WAIT}")  # noqa: S310 - your own address
    request.add_header("Authorization", f"Bearer {token}")
    while True:
        try:
            with urllib.request.urlopen(request, timeout=2 * WAIT) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in {429, 503}:
                raise
        except OSError:
            pass
        time.sleep(1)


if __name__ == "__main__":
    follow(sys.argv[1], os.environ["LEADS_TOKEN"], Path(sys.argv[2]))
