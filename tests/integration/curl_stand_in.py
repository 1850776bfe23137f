"""What the documents use of curl, for machines without it. An option that is not listed here is refused.

Run as a program: `python curl_stand_in.py -sS URL -H "Name: value" --json '{}'`.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2

FAILED = 22


def main() -> int:
    """curl's exit status: 0, or with --fail-with-body 22 for a status from 400 on."""
    asked = _arguments()
    headers = dict(_pair(text, ":") for text in asked.header)
    with ExitStack() as stack:
        body: dict[str, Any] = {}
        if asked.json is not None:
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
            body["content"] = asked.json.encode()
        if asked.form:
            pairs = [_pair(text, "=") for text in asked.form]
            files = {name: value[1:] for name, value in pairs if value.startswith("@")}
            body["files"] = {
                name: (Path(path).name, stack.enter_context(open(path, "rb"))) for name, path in files.items()
            }
            body["data"] = {name: value for name, value in pairs if name not in files}
        method = asked.request or ("POST" if body else "GET")
        answer = httpx2.request(method, asked.url, headers=headers, **body)
    if asked.include:
        lines = [f"HTTP/1.1 {answer.status_code}", *(f"{name}: {value}" for name, value in answer.headers.items()), ""]
        sys.stdout.write("".join(f"{line}\r\n" for line in lines))
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.content)
    return FAILED if asked.fail_with_body and answer.is_error else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-S", action="store_true")
    parser.add_argument("-i", dest="include", action="store_true")
    parser.add_argument("--fail-with-body", action="store_true")
    parser.add_argument("-X", dest="request")
    parser.add_argument("-H", dest="header", action="append", default=[])
    parser.add_argument("-F", dest="form", action="append", default=[])
    parser.add_argument("--json")
    return parser.parse_args()


def _pair(text: str, sign: str) -> tuple[str, str]:
    name, _, value = text.partition(sign)
    return name, value.strip()


if __name__ == "__main__":
    sys.exit(main())
