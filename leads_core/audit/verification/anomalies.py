"""What the passes note about places that are not as they should be, until all of it can be explained together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: So many broken entries are kept whole, to say what was changed in them; the others are only named.
KEPT = 1000


@dataclass(slots=True)
class Broken:
    """An entry that is not as it was written.

    before is the state before it, as far as it is known; following says, of fields that later entries or the lead
    itself tell about, how they must have stood after it.
    """

    row: Any
    parts: dict[str, Any] | None
    computed: bytes | None
    mac_of_stored: bool
    mac_of_computed: bool
    before: dict[str, Any] | None
    following: dict[str, Any] = field(default_factory=dict)
    of_lead: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        return str(self.row[0])

    @property
    def is_logged(self) -> bool:
        return self.row[15] is not None


@dataclass(slots=True)
class Hole:
    """Versions of a subject, first to last, that no entry is there for.

    after and before are the ids of the neighbours (empty at an end). at is when the last of them was written, where
    the lead's own column tells.
    """

    subject: str
    kind: str
    first: int
    last: int
    after: str = ""
    before: str = ""
    at: str | None = None
    differing: list[str] = field(default_factory=list)
    uncovered: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class BrokenSubject:
    """A subject with broken entries or holes, as far as is needed to tell one cause from another.

    uncovered: part -> the entries in which it is a digest with no ERASE to say why. What is missing may be that ERASE.
    """

    subject: str
    kind: str
    broken: list[Broken] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    uncovered: dict[str, list[str]] = field(default_factory=dict)
    version: int | None = None
    last_seq: int = 0


@dataclass(slots=True)
class Unlogged:
    """An intact entry without a leaf that nothing waits to give one."""

    id: str
    subject: str | None
    checksum: bytes


@dataclass(slots=True)
class OtherLeaf:
    """An intact entry whose leaf holds another checksum."""

    id: str
    subject: str | None
    checksum: bytes
    leaf_index: int
    leaf_checksum: bytes


@dataclass(slots=True)
class Untracked:
    """A lead (or user, token) without any entry."""

    subject: str
    kind: str
    version: int
    created_at: str
    updated_at: str | None
