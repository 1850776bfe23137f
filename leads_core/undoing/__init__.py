"""The one undo: of everything that one request or one job changed on leads, reckoned from the trail alone.

A few leads at once; many as a job, whose leads are frozen when it first runs. Each step is an entry like any other
(REVERT, DELETE, RESTORE), so an undo is undone by the same road.
"""

from leads_core.audit.operations import Author, Operation
from leads_core.leads.taking_back import Kept
from leads_core.leads.undoing_many import Undone
from leads_core.undoing.job import UndoHandler, operation_of
from leads_core.undoing.records import standing
from leads_core.undoing.service import Foreseen, KeptOf, Undoing, UndoneNow

__all__ = [
    "Author",
    "Foreseen",
    "Kept",
    "KeptOf",
    "Operation",
    "UndoHandler",
    "Undoing",
    "Undone",
    "UndoneNow",
    "operation_of",
    "standing",
]
