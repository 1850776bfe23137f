"""What `make run` and `make test` begin with: .venv is whole afterwards, from whatever state it was in.

On a small project with the real scripts and an empty lock, so that no package is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = """
[project]
name = "lead-explorer"
version = "3.2.1"
[project.scripts]
leads = "console.cli:main"
[project.entry-points."lead_explorer.providers"]
dns = "console.cli:main"
"""
PROGRAM = """
import sys
from importlib.metadata import entry_points, version
def main():
    print(version("lead-explorer"), *entry_points(group="lead_explorer.providers").names, *sys.argv[1:])
    return 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "pyproject.toml").write_text(PROJECT)
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (folder / lock).write_text("# nothing\n")
    (folder / "console" / "cli").mkdir(parents=True)
    (folder / "console" / "cli" / "__init__.py").write_text(PROGRAM)
    return folder


def bootstrap(project: Path) -> str:
    """What it says; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        ["sh", "scripts/bootstrap.sh", "run"],
        cwd=project,
        env={**environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def leads(project: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [project / ".venv/bin/leads", "x"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return done.stdout.strip()


def test_from_nothing_to_a_program_and_later_only_what_changed(project: Path) -> None:
    assert bootstrap(project).startswith("Making .venv ...\nInstalling the packages of requirements.txt")
    assert leads(project) == "3.2.1 dns x"
    assert bootstrap(project) == ""

    (project / "requirements.txt").write_text("# another nothing\n")
    assert bootstrap(project).startswith("Installing the packages of requirements.txt")
    assert bootstrap(project) == ""

    (project / ".venv" / "installed.json").unlink()  # as an interrupted installation leaves it
    assert bootstrap(project).startswith("Installing the packages of requirements.txt")
    assert bootstrap(project) == ""


@pytest.mark.parametrize(
    ("python", "pip"),
    [(sys.executable, None), ("/nowhere/python3", "#!{venv}/bin/python"), (sys.executable, "#!/elsewhere/bin/python")],
    ids=["interrupted before pip", "its Python is gone", "moved here from elsewhere"],
)
def test_a_venv_that_is_not_whole_is_made_anew(project: Path, python: str, pip: str | None) -> None:
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(python)
    if pip is not None:
        (programs / "pip").write_text(pip.format(venv=project / ".venv"))

    assert bootstrap(project).startswith("Making .venv ...")

    assert leads(project) == "3.2.1 dns x"


def test_an_ordinary_user_is_told_the_one_command_that_root_must_run(project: Path) -> None:
    as_user = "import os; os.geteuid() or os.setuid(1)"
    asked = "import bootstrap; bootstrap.install_system_packages(['python3-venv', 'chromium'])"

    done = subprocess.run(
        [sys.executable, "-c", f"{asked.partition(';')[0]}; {as_user}; {asked.partition(';')[2]}"],
        env={"PYTHONPATH": str(project / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )

    command = "apt-get update && apt-get install -y --no-install-recommends python3-venv chromium"
    assert done.stderr == f"Missing on this machine. As root, run: {command}\n"
    assert done.returncode == 2


def test_make_alone_explains_every_target() -> None:
    said = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = (ROOT / "Makefile").read_text().partition(".PHONY:")[2].split()

    assert [line.split()[1] for line in said.splitlines()] == targets
