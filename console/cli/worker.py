"""`leads worker`: takes jobs until it is told to stop. Any number of them, on any number of machines."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from dataclasses import replace

from console import telemetry
from console.cli.supervisor import environment_with
from console.cli.surroundings import cli_context, settings_at_a_database
from leads_core import idempotency, rate_limit
from leads_core.accounts import sessions, sign_in_links
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.job import VerificationHandler, request_when_due
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.enrichment import calling_back, kept_answers, refreshing
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import Provider, installed_providers
from leads_core.enrichment.providers.remote import Remote
from leads_core.jobs import cleaning
from leads_core.jobs.models import JobKind
from leads_core.jobs.worker import Chore, Handler, Worker
from leads_core.leads import likely_duplicates
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.counting import fold_counts
from leads_core.leads.day_counts import fold_days
from leads_core.outgoing.client import OutgoingClient
from leads_core.settings import Settings
from leads_core.transfer.importing import ImportHandler
from leads_core.undoing import UndoHandler

HOUR = 3600.0
#: Whatever hangs, the process is gone this long after it was told to end.
LEAVES_SECONDS = 9.5


def worker() -> None:
    """Run a worker alone. Ctrl-C or SIGTERM: what runs is finished or given back within 10 s."""
    telemetry.set_up()
    with settings_at_a_database() as settings:
        asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    database = Database(settings, pool_size=8)
    client = OutgoingClient(
        nameservers=settings.enrichment_nameservers,
        loopback=settings.enrichment_loopback,
        ca_file=settings.enrichment_ca_file,
    )
    try:
        async with client:
            handlers: dict[JobKind, Handler] = {
                JobKind.ENRICHMENT: Coordinator(database, installed_providers(client, *_remote(settings, database))),
                JobKind.IMPORT: ImportHandler(database),
                JobKind.BULK: BulkHandler(database),
                JobKind.UNDO: UndoHandler(database),
                JobKind.VERIFICATION: verification_handler(database, settings),
            }
            running = Worker(database, handlers, chores(database, settings))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, _leave, running)
            # What was loaded stays: without this the garbage collector looks through all of it again and again,
            # for a sixth of an import's time.
            gc.freeze()
            await running.run()
    finally:
        await database.close()


def _leave(running: Worker) -> None:
    """In peace if that goes; else, with a database that says nothing, as a killed worker does: others take over."""
    running.stop()
    last = threading.Timer(LEAVES_SECONDS, os._exit, (1,))
    last.daemon = True
    last.start()


def _remote(settings: Settings, database: Database) -> list[Provider]:
    url, secret = settings.enrichment_remote_url, settings.remote_secret
    if url is None or secret is None:
        return []
    return [Remote(url, secret, calling_back.inbox(database), ca_file=settings.enrichment_ca_file)]


def chores(database: Database, settings: Settings) -> list[Chore]:
    """What every worker does beside jobs."""
    return [
        Chore("verify the trail each night", 300, lambda: verify_when_due(database)),
        Chore("take entries into the log and sign it", 1, Sequencer(database, settings).run_once),
        Chore("fold lead counts", 5, lambda: fold_counts(database)),
        Chore("fold the days' figures", 10, lambda: fold_days(database)),
        Chore("forget ended sessions", HOUR, lambda: sessions.forget_ended(database)),
        Chore("forget lapsed sign-in links", HOUR, lambda: sign_in_links.forget_lapsed(database)),
        Chore("forget idempotency keys", HOUR, lambda: idempotency.forget_old(database)),
        Chore("forget full rate limits", HOUR, lambda: rate_limit.forget_full(database)),
        Chore("forget old uploads", HOUR, lambda: cleaning.forget_old(database)),
        Chore("look for likely duplicates", 1, lambda: likely_duplicates.find_new(database)),
        Chore("look old leads up again", 60, lambda: refreshing.plan(database, settings)),
        Chore("forget old answers of providers", HOUR, lambda: kept_answers.forget_old(database)),
    ]


def verification_handler(database: Database, settings: Settings) -> VerificationHandler:
    """Verification by the command that operators use, with what it needs of these settings and no signing key."""
    command = (sys.executable, "-m", "console.cli", "audit", "verify", "--json", "--record")
    environment = environment_with(
        DATABASE_URL=database.url,
        DATA_DIR=str(settings.data_dir.absolute()),
        AUDIT_CHECKPOINT_FILE=str(settings.checkpoint_file.absolute()),
    )
    without = {"AUDIT_SIGNING_KEY", "DATABASE_OWNER_URL"}
    return VerificationHandler(
        database, command, {name: value for name, value in environment.items() if name not in without}
    )


async def verify_when_due(database: Database) -> None:
    """Ask for the nightly verification, as the system."""
    with acting_as(replace(cli_context(), channel="worker")):
        await request_when_due(database)
