"""What somebody wants of a file, and what came of it: as a job keeps them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from leads_core.leads.row_matching import Existing, Upserted
from leads_core.leads.schemas import LeadUpdate, Stage, parsed
from leads_core.transfer.readers import AS_IT_LOOKS, ReadAs, shown
from leads_core.transfer.reading import Refused

#: Refused rows that a result lists; all of them can be downloaded.
LISTED = 1000
SOURCE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class ForAllRows:
    """What each row of an import says where the file does not. Tags are added to what a lead has."""

    tags: tuple[str, ...] = ()
    stage: str | None = None
    owner_id: str | None = None
    source_detail: str | None = None

    @classmethod
    def parse(cls, *, tags: str = "", stage: str = "", owner_id: str = "", source_detail: str = "") -> ForAllRows:
        """As a form has it, tags with commas between; empty says nothing. Raises Invalid that names the field."""
        given: dict[str, Any] = {"tags": [tag for tag in tags.split(",") if tag.strip()]}
        given |= {name: value for name, value in (("stage", stage), ("owner_id", owner_id)) if value}
        read = parsed(LeadUpdate, given)
        return cls(
            tags=tuple(read.tags),
            stage=Stage(read.stage).value if stage else None,
            owner_id=str(UUID(str(read.owner_id))) if owner_id else None,
            source_detail=shown(source_detail.strip(), SOURCE_LIMIT) or None,
        )

    @property
    def cells(self) -> dict[str, str]:
        """Field -> what a row says that says nothing itself."""
        said = {"stage": self.stage, "owner_id": self.owner_id, "source_detail": self.source_detail}
        return {name: value for name, value in said.items() if value}


NOTHING_FOR_ALL = ForAllRows()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to do with a file. columns: its names -> fields; None takes the proposal.

    checked_at: when somebody saw what would happen (ISO 8601). What was changed since is not overwritten.
    """

    existing: Existing = Existing.FILL
    is_manual: bool = False
    enrich: bool = False
    columns: Mapping[str, str | None] | None = None
    file_name: str = "file.csv"
    file_size: int | None = None
    read_as: ReadAs = AS_IT_LOOKS
    for_all: ForAllRows = NOTHING_FOR_ALL
    checked_at: str | None = None

    def document(self) -> dict[str, Any]:
        """As a job keeps it."""
        return {**asdict(self), "existing": self.existing.value}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ImportOptions:
        """What a job kept."""
        known = {name: document[name] for name in cls.__slots__ if name in document}
        for_all = document.get("for_all") or {}
        return cls(
            **{
                **known,
                "existing": Existing(document.get("existing", Existing.FILL)),
                "read_as": ReadAs(**(document.get("read_as") or {})),
                "for_all": ForAllRows(**{**for_all, "tags": tuple(for_all.get("tags", ()))}),
            }
        )


@dataclass(slots=True)
class ImportResult:
    """How many rows became what; rows are the first refused ones.

    differed: rows that came out otherwise than somebody had seen before, because leads were changed meanwhile.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    differed: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Rows that have been dealt with."""
        return self.created + self.updated + self.unchanged + self.rejected

    def count(self, outcomes: Sequence[Upserted], refused: Sequence[Refused]) -> None:
        """Add a batch. Rows that the database refused stand in both."""
        counted = Counter(outcome.outcome for outcome in outcomes)
        self.created += counted["created"]
        self.updated += counted["updated"]
        self.unchanged += counted["unchanged"]
        self.rejected += len(refused)
        for each in refused[: LISTED - len(self.rows)]:
            self.rows.append({"row": each.number, "field": each.field, "value": each.value, "message": each.message})

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> ImportResult:
        """What a job has so far."""
        return cls(**document) if document else cls()
