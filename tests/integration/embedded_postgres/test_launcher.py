"""The embedded server survives whatever is killed, and two starts never meet in one folder."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from leads_core.embedded_postgres import EmbeddedPostgres, running, served
from leads_core.embedded_postgres.places import Places
from leads_core.errors import Unavailable
from tests.integration.embedded_postgres.conftest import Owners, answer, tell


async def run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def postmaster(places: Places) -> int:
    return int((places.cluster / "postmaster.pid").read_text().split()[0])


def kill_and_wait(kill: Callable[[], None], pid: int) -> None:
    """Call kill, then wait until the process has ended."""
    descriptor = os.pidfd_open(pid)
    kill()
    assert select.select([descriptor], [], [], 20)[0], "it lives on"
    os.close(descriptor)


async def test_a_stopped_server_starts_again_with_its_data(owners: Owners) -> None:
    first, url = owners.ready()
    await run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert tell(first, "stop") == "stopped"

    _, url = owners.ready()

    assert await run(url, "SELECT answer FROM kept") == 42


def test_of_two_first_starts_at_once_one_owns_the_server_and_the_other_says_so(owners: Owners) -> None:
    answers = sorted(answer(process) for process in [owners.start(), owners.start()])

    assert answers[0].startswith("ready postgresql://owner:")
    assert answers[1] == f"refused Lead Explorer is already running on {owners.data_dir}. Stop it first."


async def test_the_server_ends_with_a_killed_owner_and_the_next_one_has_the_data(owners: Owners) -> None:
    killed, url = owners.ready()
    await run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill_and_wait(killed.kill, postmaster(owners.places()))

    _, url = owners.ready()

    assert await run(url, "SELECT answer FROM kept") == 42


async def test_the_owner_revives_a_killed_server_at_the_same_address(owners: Owners) -> None:
    owner, url = owners.ready()
    await run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    server = postmaster(owners.places())
    kill_and_wait(lambda: os.kill(server, signal.SIGKILL), server)

    assert tell(owner, "revive") == f"ready {url}"

    assert await run(url, "SELECT answer FROM kept") == 42


async def test_after_both_were_killed_the_next_start_has_the_data(owners: Owners) -> None:
    owner, url = owners.ready()
    await run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster(owners.places()), signal.SIGKILL)
    owner.kill()

    _, url = owners.ready()

    assert await run(url, "SELECT answer FROM kept") == 42


@pytest.mark.parametrize("program", ["cat", "true"], ids=["living stranger", "zombie"])
def test_a_pid_file_that_names_another_process_is_no_obstacle(owners: Owners, program: str) -> None:
    owner, _ = owners.ready()
    places = owners.places()
    lines = (places.cluster / "postmaster.pid").read_text().splitlines()
    assert tell(owner, "stop") == "stopped"
    with subprocess.Popen([program], stdin=subprocess.PIPE, user=owners.uid) as other:
        (places.cluster / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:]]))

        assert answer(owners.start()).startswith("ready")


def test_an_initdb_that_was_killed_halfway_leaves_nothing_half(owners: Owners) -> None:
    places = owners.places()
    places.draft.mkdir(parents=True)
    (places.draft / "PG_VERSION").write_text("1")
    for folder in (places.data_dir.parent, places.data_dir, places.draft):
        os.chown(folder, owners.uid, -1)

    assert answer(owners.start()).startswith("ready")


async def test_the_app_has_a_role_that_may_neither_make_tables_nor_become_the_owner(own: Owners) -> None:
    own.ready()
    addresses = running(own.data_dir)
    assert addresses is not None

    assert await run(addresses.url, "SELECT current_user") == "leads_app"
    for statement in ("CREATE TABLE t ()", "SET ROLE owner", "SET session_replication_role = replica"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(addresses.url, statement)


async def test_trigrams_see_letters_outside_ascii(own: Owners) -> None:
    _, url = own.ready()
    await run(url, "CREATE EXTENSION pg_trgm")

    assert await run(url, "SELECT cardinality(show_trgm('ж'))") == 2


async def test_nobody_gets_in_without_the_password(own: Owners) -> None:
    _, url = own.ready()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await run(url.replace("owner:", "owner:0"), "SELECT 1")


def test_no_existing_folder_changes_its_mode(owners: Owners) -> None:
    owners.data_dir.mkdir(parents=True, mode=0o750)
    os.chown(owners.data_dir, owners.uid, -1)
    looked_at = [*owners.data_dir.parents, owners.data_dir, *Path(sys.prefix).parents, Path(sys.prefix)]
    modes = [folder.stat().st_mode for folder in looked_at]

    owners.ready()

    assert [folder.stat().st_mode for folder in looked_at] == modes


def test_secrets_are_for_their_owner_only(owners: Owners) -> None:
    owners.ready()
    places = owners.places()

    secret = [places.port_file, places.log, *(owners.data_dir / "keys").iterdir()]

    assert [oct(path.stat().st_mode & 0o777) for path in secret] == ["0o600"] * 4
    assert [oct(path.stat().st_mode & 0o777) for path in (places.sockets, places.cluster)] == ["0o700"] * 2


def test_a_stop_leaves_no_socket_and_no_port_file(owners: Owners) -> None:
    owner, _ = owners.ready()
    places = owners.places()
    places.sockets.stat()

    assert tell(owner, "stop") == "stopped"

    assert not places.port_file.exists()
    assert list(places.sockets.glob("*")) == []


def test_a_cluster_of_another_major_version_is_refused_with_the_way_out(own: Owners) -> None:
    owner, _ = own.ready()
    assert tell(owner, "stop") == "stopped"
    (own.places().cluster / "PG_VERSION").write_text("17\n")

    refused = answer(own.start())

    assert refused.startswith("refused The database in")
    assert "was made by PostgreSQL 17; this Lead Explorer brings 18. Make a backup" in refused


def test_a_cluster_whose_keys_were_lost_is_refused_in_words(own: Owners) -> None:
    owner, _ = own.ready()
    assert tell(owner, "stop") == "stopped"
    for key in (own.data_dir / "keys").iterdir():
        key.unlink()

    assert answer(own.start()).startswith("refused The embedded PostgreSQL refuses its owner; is")


def test_a_socket_folder_that_others_can_enter_is_refused(own: Owners) -> None:
    places = own.places()
    places.sockets.chmod(0o755)

    assert answer(own.start()).endswith("belongs to somebody else or is open to others. Remove it, then start again.")


def test_a_data_folder_that_is_a_file_is_refused_in_words(own: Owners, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match=r"^DATA_DIR: .*file cannot be written by this user"):
        EmbeddedPostgres(tmp_path / "file").start()


async def test_a_command_uses_the_running_server_or_starts_one_for_its_own_length(own: Owners) -> None:
    assert running(own.data_dir) is None
    with served(own.data_dir) as addresses:
        assert running(own.data_dir) == addresses
        with served(own.data_dir) as again:
            assert again == addresses
        assert await run(addresses.owner_url, "SELECT 1") == 1
    assert running(own.data_dir) is None
