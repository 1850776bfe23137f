"""Ask providers about a lead: each within its time, once for all leads at a domain, and not while it is paused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from leads_core.audit import trail
from leads_core.database import Database
from leads_core.enrichment import kept_answers, pauses
from leads_core.enrichment.kept_answers import Question
from leads_core.enrichment.merging import Fact
from leads_core.enrichment.pauses import Pause
from leads_core.enrichment.providers import AnswersForMany, AnswersLater, FoundFact, Provider, ProviderFailed, Subject

log = structlog.get_logger(__name__)

#: A provider that has said nothing for this long has failed this time.
PROVIDER_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one provider gave: facts, or why it failed, whether trying again may help, and whose fault it was.

    from_lead_alone: nobody was asked, so it does not make up for those who could not answer. comes_in: seconds after
    which an answer that was promised is asked for again.
    """

    provider: str
    facts: tuple[Fact, ...] = ()
    failure: str | None = None
    may_pass: bool = False
    provider_is_down: bool = False
    from_lead_alone: bool = False
    comes_in: float | None = None
    milliseconds: int | None = None


class Asking:
    """One process's way of asking its providers."""

    def __init__(self, database: Database, providers: Sequence[Provider]) -> None:
        self._database = database
        self._providers = providers

    async def ask(self, subject: Subject, *, attempt: int, again: bool) -> list[Answer]:
        """The answers of all providers that apply, asked side by side.

        attempt counts from 1; a later one asks those afresh that failed. again: the lead was looked up before, so
        nothing that is kept is good enough.
        """
        past = ("failed",) if attempt > 1 else ("found", "failed") if again else ()
        applying = [provider for provider in self._providers if provider.applies_to(subject)]
        paused = await pauses.standing(self._database) if applying else {}
        return list(await asyncio.gather(*(self._ask(one, subject, paused, past) for one in applying)))

    async def _ask(
        self, provider: Provider, subject: Subject, paused: Mapping[str, Pause], past: Sequence[str]
    ) -> Answer:
        pause = paused.get(provider.name)
        if pause is not None and pause.stands:
            return Answer(provider.name, failure=pause.sentence, may_pass=pause.is_worth_waiting_for)
        question = _question(provider, subject)
        if question is not None and (kept := await kept_answers.claim(self._database, question, past=past)):
            return Answer(provider.name, kept.facts, kept.failure)
        answer = await self._fresh(provider, subject, question)
        if answer.provider_is_down:
            await pauses.strike(self._database, provider.name, str(answer.failure))
        elif pause is not None:
            await pauses.lift(self._database, provider.name)
        return answer

    async def _fresh(self, provider: Provider, subject: Subject, question: Question | None) -> Answer:
        if question is None:
            return await _answer(provider, subject)
        try:
            answer = await _answer(provider, subject)
        except BaseException:
            await asyncio.shield(kept_answers.release(self._database, question))
            raise
        if answer.provider_is_down:  # says nothing of the domain
            await kept_answers.release(self._database, question)
        else:
            await kept_answers.keep(self._database, question, answer.facts, answer.failure)
        return answer


async def _answer(provider: Provider, subject: Subject) -> Answer:
    began = time.monotonic()
    answer = await _said(provider, subject)
    return replace(answer, milliseconds=round((time.monotonic() - began) * 1000))


async def _said(provider: Provider, subject: Subject) -> Answer:
    seconds: float = getattr(provider, "seconds", PROVIDER_SECONDS)
    try:
        async with asyncio.timeout(seconds):
            found = await provider.find(subject)
    except AnswersLater as promise:
        return Answer(provider.name, failure=str(promise), may_pass=True, comes_in=promise.seconds)
    except ProviderFailed as failed:
        facts = _facts(provider, failed.facts)
        return Answer(provider.name, facts, str(failed), failed.may_pass, failed.provider_is_down)
    except TimeoutError:
        failure = f"{provider.name.capitalize()} did not answer in {seconds:.0f} s"
        return Answer(provider.name, failure=failure, may_pass=True)
    except Exception:
        log.exception("provider_broke", provider=provider.name, lead_id=str(subject.lead_id))
        return Answer(provider.name, failure=f"{provider.name.capitalize()} could not be read")
    return Answer(provider.name, _facts(provider, found), from_lead_alone=getattr(provider, "asks_nobody", False))


def _question(provider: Provider, subject: Subject) -> Question | None:
    about = provider.about(subject) if isinstance(provider, AnswersForMany) else None
    return None if about is None else Question(provider.name, about, subject.domain)


def _facts(provider: Provider, found: Sequence[FoundFact]) -> tuple[Fact, ...]:
    now = trail.now()
    return tuple(
        Fact(fact.field, fact.value, provider.name, fact.confidence, now, fact.url, fact.suggestion_only)
        for fact in found
    )
