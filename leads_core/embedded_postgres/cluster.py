"""What is inside a cluster: made by initdb, checked for its version, given its roles and its database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from leads_core.embedded_postgres.places import Account, Places, password, write_private
from leads_core.embedded_postgres.processes import die_with_parent
from leads_core.errors import Unavailable

OWNER, APP, DATABASE = "owner", "leads_app", "leads"
#: Code-point order and simple case, the same on every operating system; pg_trgm reads LC_CTYPE and needs C.UTF-8.
INITDB = (
    *("--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    *("--auth=scram-sha-256", "--no-instructions", f"--username={OWNER}"),
)


def make_cluster(places: Places, account: Account | None, folder: Path, *, safely: bool) -> None:
    """initdb beside the final place, then one rename: a killed first start leaves nothing half."""
    shutil.rmtree(places.draft, ignore_errors=True)
    secret = places.home / "postgres.password"
    secret.unlink(missing_ok=True)
    write_private(secret, password(places, OWNER))
    if account is not None:
        os.chown(secret, account.uid, account.gid)
    done = subprocess.run(  # noqa: S603 - our own program
        [folder / "initdb", *INITDB, f"--pwfile={secret}", *([] if safely else ["--no-sync"]), places.draft],
        cwd=places.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        preexec_fn=die_with_parent(signal.SIGKILL),
        **(account.options if account else {}),
    )
    secret.unlink()
    if done.returncode != 0:
        raise Unavailable(f"initdb could not make the database: {last_line(done.stderr)}")
    places.draft.rename(places.cluster)


def refuse_other_major(places: Places, folder: Path) -> None:
    """Raises Unavailable, with the way out, for a cluster that another major version of PostgreSQL made."""
    made_by = (places.cluster / "PG_VERSION").read_text().strip()
    shown = subprocess.run([folder / "postgres", "--version"], cwd="/", capture_output=True, check=True).stdout  # noqa: S603
    brought = shown.split()[-1].decode().partition(".")[0]
    if made_by != brought:
        raise Unavailable(
            f"The database in {places.cluster} was made by PostgreSQL {made_by}; this Lead Explorer brings {brought}. "
            "Make a backup with the version that made it, then restore it here into a new DATA_DIR."
        )


def make_roles(places: Places, folder: Path, port: int) -> None:
    """The app's role and the database, at every start: a first start may have been killed halfway."""
    statements = f"""
        SELECT 'CREATE ROLE {APP}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') \\gexec
        ALTER ROLE {APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
              PASSWORD '{password(places, APP)}';
        SELECT 'CREATE DATABASE {DATABASE}'
         WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
        \\connect {DATABASE}
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO {APP};
    """  # noqa: S608 - constants and hex digits
    where = ["-h", str(places.sockets), "-p", str(port), "-U", OWNER, "postgres"]
    done = subprocess.run(  # noqa: S603 - our own program
        [str(folder / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *where],
        cwd="/",
        input=statements.encode(),
        env={"PGPASSWORD": password(places, OWNER), "PGCONNECT_TIMEOUT": "10"},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(
            f"The embedded PostgreSQL refuses its owner; is {places.data_dir / 'keys'} the folder that belongs to it? "
            f"({last_line(done.stderr)})"
        )


def last_line(output: bytes) -> str:
    """What a program said last, for an error's sentence."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
