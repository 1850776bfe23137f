"""Asks the advisory service about every locked package. A known vulnerability fails, a missing network does not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

COMMAND = (
    "-r",
    "requirements-dev.txt",
    "--require-hashes",
    "--disable-pip",
    "--progress-spinner",
    "off",
    "--format",
    "json",
)
#: Seconds; one request for each package.
PATIENCE = 180


def main() -> int:
    """Exit status 1 when a locked package has a known vulnerability."""
    answers = ask()
    audited = [answer for answer in answers if "vulns" in answer]
    bad = [answer for answer in audited if answer["vulns"]]
    if not audited:
        print("skipped, no network: the advisory service was not reached")
        return 0
    for answer in bad:
        for vulnerability in answer["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            print(f"{answer['name']} {answer['version']}: {vulnerability['id']}, mended in {fixed}")
    print(f"{len(audited)} packages looked up, {len(bad)} with a known vulnerability; {len(answers)} are locked")
    return 1 if bad else 0


def ask() -> list[dict[str, Any]]:
    """What pip-audit says of each package; nothing when it could not ask."""
    command = [sys.executable, "-m", "pip_audit", *COMMAND]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return []
    return found


if __name__ == "__main__":
    sys.exit(main())
