"""Takes a lead through its providers: run them side by side, keep what they found, fill what may be filled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit import trail
from leads_core.database import Database
from leads_core.enrichment import day_figures, merging, outgoing_requests, queries
from leads_core.enrichment.asking import Answer, Asking
from leads_core.enrichment.providers import Provider, Subject
from leads_core.enrichment.refreshing import is_refresh
from leads_core.errors import NotFound
from leads_core.jobs import backoff, queue
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, LeadRead
from leads_core.leads.service import LeadService
from leads_core.outgoing.recording import RequestRecord, recorded_requests


class Coordinator:
    """Runs enrichment jobs. Work that is done twice changes nothing the second time."""

    def __init__(self, database: Database, providers: Sequence[Provider]) -> None:
        self._database = database
        self._leads = LeadService(database)
        self._asking = Asking(database, providers)

    async def run(self, job: JobRead) -> None:
        """One attempt. Raises Retry when a later one may find more; else the job and the lead have their end."""
        assert job.lead_id is not None  # noqa: S101 - every enrichment job has a lead
        try:
            lead = await self._leads.get(job.lead_id, deleted=None)
        except NotFound:
            return await self._end_without_lead(job)
        if is_refresh(job) and (lead.is_deleted or lead.erased_at is not None):
            return await self._end_without_lead(job)
        if lead.is_deleted or lead.erased_at is not None:
            return await self._end(job, lead, [], reason="The lead was moved to the bin before it could be looked up.")
        async with self._database.transaction() as session:
            again = await queries.checked_at(session, lead.id) is not None
        with recorded_requests() as requests:
            try:
                answers = await self._asking.ask(subject_of(lead, job.id), attempt=job.attempt, again=again)
            finally:
                await asyncio.shield(self._keep(lead, job, requests))
        passing = [answer for answer in answers if answer.failure and answer.may_pass]
        if passing and job.attempt < backoff.ATTEMPTS:
            promised = max((answer.comes_in or 0.0 for answer in passing), default=0.0)
            delay = promised or backoff.delay(job.attempt)
            raise backoff.Retry(delay, f"{passing[0].provider}: {passing[0].failure}")
        await self._end(job, lead, answers)
        return None

    async def _keep(self, lead: LeadRead, job: JobRead, requests: Sequence[RequestRecord]) -> None:
        """What left the house for this lead, also when the attempt is broken off."""
        if requests:
            async with self._database.transaction() as session:
                await outgoing_requests.note(session, lead.id, job.id, requests)

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job and its lead as failed, with a sentence: a deadline has passed, or something of ours broke."""
        assert job.lead_id is not None  # noqa: S101 - every enrichment job has a lead
        try:
            lead = await self._leads.get(job.lead_id, deleted=None)
        except NotFound:
            return await self._end_without_lead(job)
        if is_refresh(job):
            async with self._database.transaction() as session:
                await queue.finish(session, job.id, JobState.FAILED, error=reason)
            return None
        await self._end(job, lead, [], reason=reason)
        return None

    async def _end(self, job: JobRead, lead: LeadRead, answers: Sequence[Answer], *, reason: str | None = None) -> None:
        """Facts, fields, provenance, entry and the job's end, in one transaction.

        Of a look-up that nobody asked for only what is new stands in the lead: its status is left alone.
        """
        facts = [fact for answer in answers for fact in answer.facts]
        end = {
            "enrichment_status": EnrichmentStatus.FAILED.value,
            "enrichment_outcome": None,
            "enrichment_error": reason,
        }
        if reason is None:
            end = _end_of(answers)

        used: dict[str, list[str]] = {}
        unasked = is_refresh(job)

        def decide(current: LeadRead, at: datetime) -> Mapping[str, Any]:
            filled = {} if current.is_deleted else merging.fills(current, facts)
            used.update(_used(filled))
            changes = {**filled, "enriched_at": at} if filled else {}
            return changes if unasked else {**changes, **end}

        async def beside(session: AsyncSession, _lead: LeadRead) -> None:
            if said := [answer.provider for answer in answers if answer.failure is None or answer.facts]:
                await queries.replace_facts(session, lead.id, job.id, said, facts)
            await queries.note_checked(session, lead.id, trail.now())
            failed = end["enrichment_status"] == EnrichmentStatus.FAILED.value and not unasked
            state = JobState.FAILED if failed else JobState.COMPLETED
            if not unasked:
                await day_figures.note_end(session, end["enrichment_outcome"], job.created_at, trail.now())
            await queue.finish(
                session, job.id, state, error=end["enrichment_error"], result=_result(answers, end, used)
            )

        if unasked:
            written = await self._leads.record_refresh(lead.id, decide, beside)
        else:
            written = await self._leads.record_enrichment(lead.id, job.id, decide, beside)
        if written is None:
            await self._end_without_lead(job)

    async def _end_without_lead(self, job: JobRead) -> None:
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error="The lead is not there any more.")


def subject_of(lead: LeadRead, task_id: UUID) -> Subject:
    """What providers are told of a lead: no notes, no history."""
    return Subject(
        lead_id=lead.id,
        task_id=task_id,
        domain=lead.domain,
        registrable_domain=lead.registrable_domain,
        email=lead.email,
        company_name=lead.company_name,
        website=lead.website,
        country=lead.country,
    )


def _end_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """Status, outcome and sentence, from what the providers gave."""
    failures = [answer for answer in answers if answer.failure is not None]
    if not answers:
        return _failed("There is no domain to look up. Add one, then enrich again.")
    sentence = "; ".join(dict.fromkeys(str(answer.failure) for answer in failures)) or None
    gave_nothing = (answer.from_lead_alone or (answer.failure and not answer.facts) for answer in answers)
    if failures and all(gave_nothing):
        return _failed(sentence)
    found = any(answer.facts for answer in answers)
    outcome = EnrichmentOutcome.FOUND if found else EnrichmentOutcome.NOTHING
    return {
        "enrichment_status": EnrichmentStatus.COMPLETED.value,
        "enrichment_outcome": EnrichmentOutcome.PARTIAL.value if failures else outcome.value,
        "enrichment_error": sentence,
    }


def _failed(sentence: str | None) -> dict[str, Any]:
    return {
        "enrichment_status": EnrichmentStatus.FAILED.value,
        "enrichment_outcome": None,
        "enrichment_error": sentence,
    }


def _used(filled: Mapping[str, Any]) -> dict[str, list[str]]:
    """Provider -> the fields that its facts filled."""
    used: dict[str, list[str]] = {}
    for field in filled.keys() - {"provenance"}:
        used.setdefault(filled["provenance"][field]["source"], []).append(field)
    return used


def _result(answers: Sequence[Answer], end: Mapping[str, Any], used: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What each provider gave; milliseconds is null where it was not asked: its answer was kept, or it is paused."""
    return {
        "outcome": end["enrichment_outcome"],
        "providers": [
            {
                "name": answer.provider,
                "facts": len(answer.facts),
                "error": answer.failure,
                "milliseconds": answer.milliseconds,
                "used": sorted(used.get(answer.provider, ())),
            }
            for answer in answers
        ],
    }
