"""The views above the list, those that are always there and the saved ones, and what can be done with one. Pure.

A saved view's link carries its whole state, so a copied address shows the same whoever opens it; `view` only says which
one was opened, so that a change of it can be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from console.list_address import PATH, ListAddress, Pairs
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor
from leads_core.saved_views.queries import Around, ViewRead
from leads_core.saved_views.service import may_change

ALL = "all"
#: Key, label and state of the views that are always there.
BUILT_IN: tuple[tuple[str, str, Pairs], ...] = (
    (ALL, "All leads", ()),
    ("mine", "Mine", (("owner", "me"),)),
    ("due", "Due today", (("follow_up_to", "today"),)),
    ("by-hand", "Added by hand", (("is_manual", "true"),)),
    ("failed", "Enrichment failed", (("enrichment_status", "failed"),)),
    ("won", "Won", (("stage", "won"),)),
)
#: Stands last, after the saved ones.
BIN: tuple[str, str, Pairs] = ("bin", "Bin", (("deleted", "true"),))


@dataclass(frozen=True, slots=True)
class View:
    """A named state of the list. key: what it is called in the address; saved: the view that somebody keeps."""

    key: str
    label: str
    state: Pairs
    saved: ViewRead | None = None

    @property
    def element(self) -> str:
        """The id of its count in the page."""
        return f"count-{self.key}"


def views_of(around: Around) -> list[View]:
    """Every view of a person, in order."""
    saved = [View(str(one.id), one.name, tuple(parse_qsl(one.query)), one) for one in around.views]
    return [*(View(*one) for one in BUILT_IN), *saved, View(*BIN)]


@dataclass(frozen=True, slots=True)
class ViewForm:
    """What was typed into the form of a view, and what is wrong with it."""

    name: str = ""
    is_shared: bool = False
    error: str = ""
    view: str = ""


class ListViews:
    """What the page says of views."""

    def __init__(self, address: ListAddress, around: Around, who: Visitor, form: ViewForm | None = None) -> None:
        self._address = address
        self._around = around
        self._who = who
        self.all = views_of(around)
        self.form = form or ViewForm()
        self.opened = next((view for view in self.all if view.saved and view.key == address.view), None)
        self.current = self.opened or next((view for view in self.all if self._is_here(view)), None)

    @property
    def changed(self) -> bool:
        """Whether a saved view is open and its state is another now."""
        return self.opened is not None and not self._is_here(self.opened)

    @property
    def can_save(self) -> bool:
        """Whether the state has no name yet."""
        if self.opened is not None:
            return self.changed
        return self.current is None or bool(self._address.query or self._address.sort)

    @property
    def can_change(self) -> bool:
        """Whether the open view is theirs to change."""
        saved = self.opened.saved if self.opened else None
        return saved is not None and may_change(self._who, saved.owner_id)

    @property
    def can_share(self) -> bool:
        return self._who.may(Permission.CHANGE_LEADS)

    @property
    def is_default(self) -> bool:
        """Whether the current view is the one that opens."""
        return self.current is not None and self.current.key == self.default_key

    @property
    def default_key(self) -> str:
        wanted = self._around.default_view
        return wanted if wanted and any(view.key == wanted for view in self.all) else ALL

    @property
    def default_url(self) -> str | None:
        """Where the list's bare address leads; None where it is the place itself."""
        if self.default_key == ALL:
            return None
        return self.url(next(view for view in self.all if view.key == self.default_key))

    @property
    def all_url(self) -> str:
        """All leads, whichever view opens by itself."""
        return self.url(self.all[0])

    @property
    def query(self) -> str:
        """The state of the list now, as a view keeps it."""
        return urlencode(self._address.state)

    def url(self, view: View) -> str:
        """The view's address."""
        named = view.saved is not None or (view.key == ALL and self.default_key != ALL)
        pairs = [*([("view", view.key)] if named else []), *view.state]
        return f"{PATH}?{urlencode(pairs)}" if pairs else PATH

    def _is_here(self, view: View) -> bool:
        """Whether the list shows this view; one that is always there may be sorted and searched all the same."""
        here = self._address.state if view.saved else self._address.filters
        return frozenset(view.state) == frozenset(here)

    @property
    def neighbours(self) -> Sequence[tuple[str, str]]:
        """Where the open view can be moved to among its kind: (direction, word)."""
        saved = self.opened.saved if self.opened else None
        if saved is None:
            return ()
        kind = [one.id for one in self._around.views if one.is_shared == saved.is_shared]
        at = kind.index(saved.id)
        ways = (("left", "Move left", at > 0), ("right", "Move right", at < len(kind) - 1))
        return [(way, word) for way, word, possible in ways if possible]
