"""A second question is not asked: what was found is kept for a day, what failed for an hour, who fails is paused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.enrichment import kept_answers, pauses
from leads_core.enrichment.asking import Answer, Asking
from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject


class Register:
    """Answers as it is told to, and counts how often it was asked."""

    name = "register"
    fields = frozenset({"industry"})

    def __init__(self, *answers: list[FoundFact] | ProviderFailed) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def applies_to(self, subject: Subject) -> bool:
        return subject.domain is not None

    def about(self, subject: Subject) -> str | None:
        return subject.domain

    async def find(self, subject: Subject) -> list[FoundFact]:
        self.asked += 1
        self.was_asked.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.may_answer.wait()
        if isinstance(answer, ProviderFailed):
            raise answer
        return answer


TOOLS = [FoundFact("industry", "Toolmaking", 95, "https://register.example/acme")]
SLOW = ProviderFailed("acme.com did not answer in 10 s.", may_pass=True)
DOWN = ProviderFailed("The register answered 503.", may_pass=True, provider_is_down=True)


def a_lead_at(domain: str = "acme.com") -> Subject:
    return Subject(uuid4(), uuid4(), domain, domain, None, None, None, None)


async def test_a_second_lead_at_a_domain_costs_no_second_question(database: Database) -> None:
    register = Register(TOOLS)

    (first,) = await _ask(database, register)
    (second,) = await _ask(database, register)

    assert (second.facts, second.failure) == (first.facts, None)
    assert [fact.value for fact in second.facts] == ["Toolmaking"]
    assert register.asked == 1
    await Asking(database, [register]).ask(a_lead_at("other.com"), attempt=1, again=False)
    assert register.asked == 2


async def test_leads_that_come_at_once_wait_for_one_answer(database: Database) -> None:
    register = Register(TOOLS)
    register.may_answer.clear()
    askings = [asyncio.create_task(_ask(database, register)) for _ in range(5)]
    await register.was_asked.wait()

    register.may_answer.set()

    assert {answer.facts[0].value for (answer,) in await asyncio.gather(*askings)} == {"Toolmaking"}
    assert register.asked == 1


async def test_what_failed_is_told_to_the_next_lead_and_asked_afresh_by_the_next_attempt(database: Database) -> None:
    register = Register(SLOW, TOOLS)
    (first,) = await _ask(database, register)

    (second,) = await _ask(database, register)
    assert (first.may_pass, second.failure, second.may_pass) == (True, first.failure, False)
    assert register.asked == 1

    (third,) = await Asking(database, [register]).ask(a_lead_at(), attempt=2, again=False)
    assert (third.failure, register.asked) == (None, 2)


async def test_whoever_looks_up_again_gets_a_fresh_answer(database: Database) -> None:
    register = Register(TOOLS, [])
    await _ask(database, register)

    (fresh,) = await Asking(database, [register]).ask(a_lead_at(), attempt=1, again=True)

    assert (fresh.facts, register.asked) == ((), 2)


@pytest.mark.parametrize(
    ("answer", "kept_for"), [(TOOLS, timedelta(days=1)), (SLOW, timedelta(hours=1))], ids=["found", "failed"]
)
async def test_an_answer_is_kept_for_its_time_and_no_longer(
    database: Database, owner: asyncpg.Connection, answer: list[FoundFact] | ProviderFailed, kept_for: timedelta
) -> None:
    register = Register(answer)
    await _ask(database, register)
    left = await owner.fetchval("SELECT good_until - now() FROM provider_answers")
    await owner.execute("UPDATE provider_answers SET good_until = good_until - $1::interval", kept_for)

    await _ask(database, register)

    assert register.asked == 2
    assert kept_for - timedelta(minutes=1) < left <= kept_for


async def test_a_claim_of_a_killed_worker_lapses(database: Database, owner: asyncpg.Connection) -> None:
    register = Register(TOOLS)
    question = kept_answers.Question("register", "acme.com", "acme.com")
    assert await kept_answers.claim(database, question) is None
    await owner.execute("UPDATE provider_answers SET claimed_until = now() - interval '1 second'")

    await _ask(database, register)

    assert register.asked == 1


async def test_work_that_is_stopped_lets_the_next_one_ask(database: Database) -> None:
    register = Register(TOOLS)
    register.may_answer.clear()
    stopped = asyncio.create_task(_ask(database, register))
    await register.was_asked.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    register.may_answer.set()

    (answer,) = await _ask(database, register)

    assert (answer.failure, register.asked) == (None, 2)


async def test_a_person_who_is_forgotten_takes_the_kept_answers_along(database: Database) -> None:
    register = Register(TOOLS)
    await _ask(database, register)

    async with database.transaction() as session:
        await kept_answers.forget_about(session, "acme.com")

    await _ask(database, register)
    assert register.asked == 2


async def test_a_provider_that_keeps_failing_by_itself_is_paused_for_all_workers(
    database: Database, owner: asyncpg.Connection
) -> None:
    register = Register(DOWN)
    for _ in range(pauses.STRIKES):
        await _ask(database, register)

    (answer,) = await _ask(database, register)

    assert register.asked == pauses.STRIKES
    assert answer.failure is not None
    assert answer.failure.startswith("Register is paused until ")
    assert answer.failure.endswith("after 5 failures: The register answered 503.")
    assert answer.may_pass
    register.answers = [TOOLS]
    await owner.execute("UPDATE provider_pauses SET paused_until = now()")
    (answer,) = await _ask(database, register)
    assert (answer.failure, await owner.fetchval("SELECT count(*) FROM provider_pauses")) == (None, 0)


async def test_each_further_failure_doubles_the_pause_up_to_a_quarter_of_an_hour(
    database: Database, owner: asyncpg.Connection
) -> None:
    lengths = []
    for _ in range(pauses.STRIKES + 6):
        await pauses.strike(database, "register", "down")
        lengths.append(
            await owner.fetchval("SELECT round(extract(epoch FROM paused_until - struck_at)) FROM provider_pauses")
        )

    assert [length and int(length) for length in lengths] == [None] * 4 + [60, 120, 240, 480, 900, 900, 900]


async def test_sites_that_fail_pause_nobody(database: Database) -> None:
    register = Register(SLOW)
    for number in range(pauses.STRIKES + 1):
        await Asking(database, [register]).ask(a_lead_at(f"company-{number}.com"), attempt=1, again=False)

    assert register.asked == pauses.STRIKES + 1


async def _ask(database: Database, register: Register) -> list[Answer]:
    return await Asking(database, [register]).ask(a_lead_at(), attempt=1, again=False)
