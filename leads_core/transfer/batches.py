"""A file's rows in batches, each read while the database works on the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from leads_core.errors import Invalid
from leads_core.leads.row_matching import Outcome, Upserted, UpsertRow
from leads_core.transfer.readers import Row
from leads_core.transfer.reading import Refused, RowReader

#: Rows that go in together, in a transaction.
BATCH = 1000
#: Rows that are read at a time, between which the event loop has its turn.
TURN = 5
#: An outcome, short.
LETTERS: dict[Outcome, str] = {"created": "c", "updated": "u", "unchanged": "n", "rejected": "r"}


@dataclass(slots=True)
class Batch:
    """Rows that go in together."""

    rows: list[UpsertRow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    as_read: dict[int, Row] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    first_row: int = 0

    @property
    def size(self) -> int:
        return len(self.numbers)

    def add(self, row: Row, read: UpsertRow | Refused) -> None:
        self.numbers.append(row.number)
        self.first_row = self.first_row or row.number
        if isinstance(read, Refused):
            self.refused.append(read)
        else:
            self.rows.append(read)
            self.as_read[row.number] = row
            with suppress(Invalid):  # which matters only if the row will mean no lead that is there
                read.as_new()

    def letters(self, outcomes: Sequence[Upserted], refused: Sequence[Refused]) -> str:
        """A letter for each row, in the file's order: created, updated, unchanged, rejected."""
        letters = {outcome.number: LETTERS[outcome.outcome] for outcome in outcomes}
        letters |= dict.fromkeys((each.number for each in refused), LETTERS["rejected"])
        return "".join(letters[number] for number in self.numbers)

    def refused_with(self, outcomes: Sequence[Upserted], reader: RowReader) -> list[Refused]:
        """The rows that could not be read and those that were refused later, in the file's order."""
        later = [reader.refusal(self.as_read[outcome.number], outcome.error) for outcome in outcomes if outcome.error]
        return sorted([*self.refused, *later], key=lambda refused: refused.number)


class Batches:
    """A file's rows in batches, each read while the database works on the one before.

    Reading takes turns with the event loop. A thread would fight with it for the interpreter and hold up every answer
    of the database by milliseconds: seen, it cost a quarter of an import's time.
    The first `skip` rows are read for their identities only.
    """

    def __init__(self, reader: RowReader, size: int, skip: int = 0) -> None:
        self._rows = reader.rows()
        self._size = size
        self._skip = skip
        self._ahead: asyncio.Task[Batch] | None = None

    async def next(self) -> Batch | None:
        """The next batch, or None at the end."""
        batch = await (self._ahead or self._read())
        self._ahead = asyncio.create_task(self._read()) if batch.size else None
        return batch if batch.size else None

    async def aclose(self) -> None:
        """End the reading: the file may be closed afterwards."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.wait({self._ahead})
        self._rows.close()

    async def _read(self) -> Batch:
        while self._skip and (passed := await self._turn(self._skip)):
            self._skip -= len(passed)
        batch = Batch()
        while batch.size < self._size and (read := await self._turn(self._size - batch.size)):
            for each in read:
                batch.add(*each)
        return batch

    async def _turn(self, most: int) -> list[tuple[Row, UpsertRow | Refused]]:
        """About a millisecond's rows; then the loop may see to everything else."""
        await asyncio.sleep(0)
        return list(islice(self._rows, min(most, TURN)))
