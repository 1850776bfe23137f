"""Prepares .venv for `make run` or `make test`: from nothing, from half, or in a moment when all is there.

Standard library only, and nothing outside the project's folder is written; as root, missing system packages are
installed. Exit status 2 when something is missing that only a person can give, with one line that says what.
"""

# ruff: noqa: S603, S607, PLW1510 - our own commands, and each one's status is looked at
from __future__ import annotations

import fcntl
import glob
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
#: What was installed last, written after it succeeded: an interrupted installation leaves none.
STAMP = VENV / "installed.json"
LOCKS = {"run": ["requirements.txt"], "test": ["requirements-dev.txt", "requirements.txt"]}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FONTS = ("/usr/share/fonts/**/*.[to]tf", "/usr/local/share/fonts/**/*.[to]tf")


def main(purpose: str) -> None:
    """purpose: run (what the product needs) or test (also the tools and a browser)."""
    with (ROOT / "pyproject.toml").open("rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two at once take turns
        install_system_packages(missing_packages(purpose))
        if not venv_is_sound():
            make_venv()
        install_locked(purpose)
        install_project(tomllib.load(turn)["project"])


def missing_packages(purpose: str) -> list[str]:
    """Debian's names of what this machine lacks."""
    wanted = {venv_package(): importlib.util.find_spec("ensurepip") is not None or venv_is_sound()}
    if purpose == "test":
        wanted["chromium"] = any(shutil.which(name) for name in BROWSERS)
        wanted["fonts-dejavu-core"] = any(glob.glob(pattern, recursive=True) for pattern in FONTS)
    return [package for package, is_there in wanted.items() if not is_there]


def venv_package() -> str:
    """Debian splits it off, with a name for the default Python and one for each other."""
    is_default = Path(sys.executable).resolve() == Path("/usr/bin/python3").resolve()
    return "python3-venv" if is_default else f"python3.{sys.version_info.minor}-venv"


def install_system_packages(packages: list[str]) -> None:
    """As root by apt-get; its lists are fetched only when they do not know a package."""
    if not packages:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        stop(f"Missing on this machine. As root, run: apt-get update && {' '.join(command)}")
    say(f"Installing {', '.join(packages)} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        return
    subprocess.run(["apt-get", "update", "-q"], env=environment, stdout=subprocess.DEVNULL)
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        stop(f"These system packages could not be installed: {' '.join(packages)}. Its own words stand above.")


def venv_is_sound() -> bool:
    """Whole, of a Python that still exists and is new enough, and made here: its programs carry its path."""
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        is_here = str(VENV) in (VENV / "bin" / "pip").read_text()
        return is_here and subprocess.run([PYTHON, "-c", probe], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    say("Making .venv ...")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    if subprocess.run([sys.executable, "-m", "venv", VENV]).returncode != 0:
        stop(f"{sys.executable} could not make .venv. Its own words stand above.")


def install_locked(purpose: str) -> None:
    """Exactly what the lock names, by hash; nothing when the last installation was of the same lock."""
    wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in LOCKS[purpose]}
    if wanted.items() <= read_stamp().items():
        return
    lock = LOCKS[purpose][0]
    say(f"Installing the packages of {lock} (once, about a minute) ...")
    STAMP.unlink(missing_ok=True)
    began = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input", "--no-cache-dir", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-warn-script-location", "--require-hashes", "-r", lock]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        stop(f"The packages of {lock} could not be installed: is there a network? pip's own words stand above.")
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(wanted))
    draft.replace(STAMP)
    say(f"... done in {time.monotonic() - began:.0f} s")


def read_stamp() -> dict[str, Any]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def install_project(project: dict[str, Any]) -> None:
    """Make the project importable and `leads` a program, as an editable install does, but without build or network."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    name = project["name"].replace("-", "_")
    info = packages / f"{name}-{project['version']}.dist-info"
    for old in [*packages.glob(f"{name}-*.dist-info"), *packages.glob(f"__editable__*{name}*")]:
        if old.is_dir() and old != info:
            shutil.rmtree(old)
        elif old.is_file():
            old.unlink()
    info.mkdir(exist_ok=True)
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    write(info / "INSTALLER", "make\n")
    write(info / "entry_points.txt", entry_points(project))
    write(info / "RECORD", "")
    write(packages / f"{name}.pth", f"{ROOT}\n")
    for script, place in project.get("scripts", {}).items():
        write(VENV / "bin" / script, program(script, *place.split(":")), mode=0o755)


def entry_points(project: dict[str, Any]) -> str:
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    return "\n".join(
        f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in entries.items())
        for group, entries in groups.items()
    )


def program(name: str, module: str, function: str) -> str:
    """Through sh: a #! line takes no long path and no space. -P: nothing is imported from the folder we stand in."""
    start = f"import sys; sys.argv[0] = '{name}'; from {module} import {function}; sys.exit({function}())"
    return f'#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -P -c "{start}" "$@"\n'


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Whole or not at all, and not touched when it is right already: a running server may be reading it."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def stop(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
    sys.exit(2)


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["test"]):
        stop("Usage: sh scripts/bootstrap.sh run|test")
    main(sys.argv[1])
