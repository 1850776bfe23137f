"""What the documents tell people to type works: their commands run against a server of their own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from console.cli import COMMANDS
from e2e.server import RunningServer, running_server
from leads_core.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUNS = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
WRITTEN_ADDRESS = "http://127.0.0.1:8000"
OF_A_RECORD = (
    *("v", "id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "actor_id", "channel"),
    *("request_id", "task_id", "occurred_at"),
)
#: Nobody answers there: what the documents add is not looked up on the internet.
NO_NAME_SERVER = "127.0.0.1:1"
#: Where the program itself is missing, its stand-in alone.
CURLS = ["stand-in", *(["curl"] if shutil.which("curl") else [])]


@pytest.fixture(params=CURLS)
def curl(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder in which `curl` is the stand-in, or the real one."""
    stand_in = Path(__file__).with_name("curl_stand_in.py")
    program = tmp_path / "curl"
    real = shutil.which("curl")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(0o755)
    if request.param == "curl":
        program.unlink()
        program.symlink_to(str(real))
    return tmp_path


@pytest.fixture(scope="module")
def one_server() -> Iterator[RunningServer]:
    with running_server(ENRICHMENT_NAMESERVERS=NO_NAME_SERVER) as running:
        yield running


@pytest.fixture
def server(one_server: RunningServer) -> RunningServer:
    """`leads up` without a lead."""
    one_server.forget_leads()
    return one_server


@pytest.fixture(scope="session")
def targets() -> set[str]:
    """What the Makefile can make."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_readmes_script_adds_imports_and_lists(server: RunningServer, curl: Path) -> None:
    added, job, page = _answers(_typed("README.md", server, curl))

    assert (added["email"], added["is_manual"]) == ("ada@example.com", True)
    assert added["enrichment_status"] == "in_progress"
    assert added["enrichment_task_id"]
    assert (job["kind"], job["progress"]["total"]) == ("import", 2459)
    assert [lead["id"] for lead in page["items"]] == [added["id"]]


def test_the_api_guides_examples_work(server: RunningServer, curl: Path) -> None:
    output = _typed("docs/api.md", server, curl)

    assert '"contacted"' in output
    assert '"RESTORE"' in output


def test_the_follower_among_the_examples_goes_on_where_it_was_killed(server: RunningServer, tmp_path: Path) -> None:
    token = server.leads("token", "create", "follower", "--scopes", "audit:read")["token"]
    command = [sys.executable, "examples/follow_changes.py", f"{server.url}/api/v1", str(tmp_path / "followed.json")]
    environment = {**server.environment, "LEADS_TOKEN": token}
    lines: list[dict[str, Any]] = []
    for domain in ("first.com", "second.com"):
        (tmp_path / "more.csv").write_text(f"domain\n{domain}\n")
        server.leads("import", str(tmp_path / "more.csv"))
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as follower:
            assert follower.stdout is not None
            while not lines or lines[-1]["new_values"].get("domain") != domain:
                lines.append(json.loads(follower.stdout.readline()))
            follower.kill()

    numbers = [line["log_index"] for line in lines]
    assert sorted(set(numbers)) == list(range(numbers[-1] + 1))


@pytest.mark.parametrize("curl", CURLS[-1:], indirect=True)  # it is long, and asks by curl but once
def test_the_audit_pages_proof_holds_and_its_trail_is_whole(curl: Path) -> None:
    with running_server(ENRICHMENT_NAMESERVERS=NO_NAME_SERVER) as server:
        output = _typed("docs/audit.md", server, curl)

    assert "Proven. The log lead-explorer-" in output
    assert '    email: nothing -> "grace@example.net"' in output
    assert "Withheld, or erased since: data, origin." in output
    assert output.count("Nothing is wrong.") == 2
    assert '"kind":' not in output
    assert "Audit exported by" in output


def test_the_audit_pages_python_gives_the_published_roots() -> None:
    root, published = _listing()["root"], _vectors()["log"]["roots"]
    checksums = [hashlib.sha256(f"leaf {number}".encode()).digest() for number in range(600)]

    assert {size: root(checksums[: int(size)]).hex() for size in published} == published


def test_the_audit_pages_python_gives_the_published_checksums() -> None:
    listing, vectors = _listing(), _vectors()["entries"]
    records = [{name: vector["row"][name] for name in OF_A_RECORD} for vector in vectors]

    computed = [
        listing["checksum"](record, vector["row"]["parts"]).hex()
        for record, vector in zip(records, vectors, strict=True)
    ]

    assert computed == [vector["checksum"] for vector in vectors]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_is_there(document: str) -> None:
    folder = (ROOT / document).parent
    linked = [place for place in LINK.findall(_text(document)) if not place.startswith(("http://", "https://"))]

    assert [place for place in linked if not (folder / place).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_names_is_there(document: str) -> None:
    named = set(re.findall(r"(?:^|[\s`/(])leads ([a-z]+)(?: ([a-z-]+))?", _code(document), re.MULTILINE))

    assert sorted(pair for pair in named if not _is_command(*pair)) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_that_a_document_names_is_there(document: str, targets: set[str]) -> None:
    named = set(re.findall(r"(?:^|[\s`])make ([a-z]+)", _code(document), re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document: str) -> None:
    named = re.findall(
        r"`((?:console|leads_core|migrations|tests|e2e|scripts|docs|examples)/[\w./-]*)", _text(document)
    )

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_names_every_setting_and_no_other() -> None:
    table = _text("README.md").partition("## Settings")[2].partition("###")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {
        name.upper() for name in Settings.model_fields
    }


def _listing() -> dict[str, Any]:
    """What the audit page's Python defines."""
    listing: dict[str, Any] = {}
    exec("".join(re.findall(r"```python\n(.*?)```", _text("docs/audit.md"), re.DOTALL)), listing)  # noqa: S102
    return listing


def _vectors() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "audit_record.json").read_text("utf-8"))
    return vectors


def _typed(document: str, server: RunningServer, curl: Path) -> str:
    """What the document's marked blocks print, typed one after the other. A refused request fails."""
    script = "\n".join(RUNS.findall(_text(document)))
    assert script, f"{document} has no block that is marked to be run"
    assert WRITTEN_ADDRESS in script
    script = script.replace(WRITTEN_ADDRESS, server.url).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    strictly = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
    environment = {**server.environment, "PATH": f"{curl}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", strictly + script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def _answers(output: str) -> list[Any]:
    """The JSON documents that stand one after the other."""
    decoder, answers, place = json.JSONDecoder(), [], 0
    while place < len(output.rstrip()):
        answer, place = decoder.raw_decode(output, place)
        answers.append(answer)
    return answers


def _is_command(name: str, verb: str) -> bool:
    place = {command: where for command, where, _ in COMMANDS}.get(name)
    if place is None:
        return False
    module, _, attribute = place.partition(":")
    command = getattr(import_module(module), attribute)
    return not isinstance(command, App) or not verb or verb in command


def _code(document: str) -> str:
    """What stands in code type: commands, not sentences and comments."""
    return re.sub(r"^#.*$", "", "\n".join(CODE.findall(_text(document))), flags=re.MULTILINE)


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")
