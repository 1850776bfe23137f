"""Whether a worker lives, by the connections that each holds: nothing is written, and one that was killed is gone."""

from __future__ import annotations

import os
import socket

import asyncpg

from leads_core.database import new_id

_PREFIX = "leads-worker"
# The names of connections may be read by everybody, also those of another role.
COUNT = f"""
    SELECT count(DISTINCT application_name) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE '{_PREFIX} %'
"""  # noqa: S608


def worker_name() -> str:
    """What a worker's connections are called: where it runs, and what tells it from others there."""
    place = f"{socket.gethostname()[:20]}:{os.getpid()}"
    return f"{_PREFIX} {place} {new_id().hex[-8:]}"


async def workers_alive(reader: asyncpg.Connection) -> int:
    """How many workers are connected to this database, on all machines."""
    return int(await reader.fetchval(COUNT))
