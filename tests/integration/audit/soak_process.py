"""The processes of the soak: `write OPERATIONS WRITERS SEED`, and `sequence` until it is killed or told to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from random import Random

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.errors import Unavailable
from leads_core.settings import load_settings
from tests.integration.audit.honest_life import HonestLife


async def write(operations: int, writers: int, seed: int) -> None:
    """So many writers at once until so many operations went through; says what was done and what was refused."""
    database = Database(load_settings(), pool_size=writers + 2)
    lives = [HonestLife(database, Random(f"{seed} {number}"), number == 0) for number in range(writers)]  # noqa: S311

    parent = os.getppid()

    async def live(one: HonestLife) -> None:
        while os.getppid() == parent:
            if sum(life.done.total() for life in lives) >= operations and one.has_done_everything:
                return
            await one.step()

    await asyncio.gather(*(live(one) for one in lives))
    await database.close()
    done = sum((life.done for life in lives), Counter[str]())
    refused = sum((life.refused for life in lives), Counter[str]())
    print(json.dumps({"done": done, "refused": refused}))


async def sequence() -> None:
    """As fast as it goes, so that a kill meets it at work. Says when it has begun to."""
    settings = load_settings()
    database, ending = Database(settings, pool_size=3), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    sequencer = Sequencer(database, settings)
    parent = os.getppid()
    told = False
    while not ending.is_set() and os.getppid() == parent:
        with suppress(Unavailable):
            await sequencer.run_once()
            if not told:
                told = True
                print("at work", flush=True)
        await asyncio.sleep(0.02)
    await database.close()


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    asyncio.run(write(*map(int, numbers)) if what == "write" else sequence())
