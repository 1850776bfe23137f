"""The throw-away server of a test run: one for all its processes, and nothing left of it, whatever was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from leads_core.embedded_postgres.places import find_places
from leads_core.embedded_postgres.throwaway import VARIABLE

#: Says its address and that of a child of its own, then waits for the end of its input.
RUN = """
import subprocess, sys
from pathlib import Path
from leads_core.embedded_postgres import server_for_tests
child = "from leads_core.embedded_postgres import server_for_tests; print(server_for_tests())"
print(server_for_tests(Path(sys.argv[1])), flush=True)
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout, flush=True)
sys.stdin.read()
"""


def start_run(folder: Path, **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if "DATABASE" not in name and name != VARIABLE}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)],
        env={**inherited, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline().strip()


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "lock"]


def test_the_processes_of_a_run_share_one_server_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    with start_run(tmp_path) as run:
        address = line(run)
        assert address.startswith("postgresql://owner:")
        assert line(run) == address
        (data_dir,) = left_in(tmp_path)
        places = find_places(tmp_path / data_dir)
        assert places is not None
        run.communicate()

    assert left_in(tmp_path) == []
    assert not places.home.exists()


def test_two_runs_at_once_have_a_server_each(tmp_path: Path) -> None:
    with start_run(tmp_path) as one, start_run(tmp_path) as other:
        assert line(one) != line(other)
        assert len(left_in(tmp_path)) == 2
        one.communicate()
        other.communicate()


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with start_run(tmp_path) as killed:
        line(killed)
        (left,) = left_in(tmp_path)
        killed.kill()

    with start_run(tmp_path) as run:
        line(run)
        assert left not in left_in(tmp_path)
        run.communicate()


def test_with_a_database_given_no_server_is_started(tmp_path: Path) -> None:
    given = "postgresql://me@example.test/leads"
    with start_run(tmp_path, DATABASE_URL=given) as run:
        assert line(run) == given
        run.communicate()

    assert left_in(tmp_path) == []
