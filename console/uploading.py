"""A multipart form with one file, read as it comes: the file to disk in pieces, never whole in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request

from leads_core.errors import Invalid
from leads_core.leads.row_matching import Existing
from leads_core.transfer.import_options import ForAllRows, ImportOptions
from leads_core.transfer.readers import ReadAs, shown
from leads_core.transfer.uploads import PIECE

MULTIPART = {"multipart/form-data"}
MOST_FIELDS = 20
NAME_LIMIT = 200
#: Fields that say how a file is read, and those that say something for each of its rows.
READ_AS = ("encoding", "delimiter", "has_names", "sheet")
FOR_ALL = ("tags", "stage", "owner_id", "source_detail")
YES_OR_NO = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Upload:
    """The file, and the other fields as they were sent."""

    sent: UploadFile
    fields: Mapping[str, str]

    @property
    def file(self) -> BinaryIO:
        return self.sent.file

    @property
    def name(self) -> str:
        """The file's own name, without folders and signs that hide."""
        name = (self.sent.filename or "").replace("\\", "/").rpartition("/")[2]
        return shown(name.strip(), NAME_LIMIT) or "file.csv"

    async def read(self, size: int) -> bytes:
        """The next bytes of the file."""
        return await self.sent.read(size)

    async def rewind(self) -> None:
        await self.sent.seek(0)

    async def digest(self) -> bytes:
        """SHA-256 of the file; it stands at its beginning afterwards."""
        await self.rewind()
        found = hashlib.sha256()
        while piece := await self.read(PIECE):
            found.update(piece)
        await self.rewind()
        return found.digest()

    def options(self) -> ImportOptions:
        """What the API's fields say. Raises Invalid that names each wrong one."""
        known = {"existing", "is_manual", "enrich", "columns", "dry_run", *READ_AS, *FOR_ALL}
        if unknown := sorted(set(self.fields) - known):
            raise Invalid.of(shown(unknown[0], 60), "There is no such field. Leave it out.")
        return ImportOptions(
            existing=existing_of(self.fields.get("existing", Existing.FILL.value)),
            is_manual=self.says_yes("is_manual"),
            enrich=self.says_yes("enrich"),
            columns=_columns(self.fields["columns"]) if self.fields.get("columns") else None,
            file_name=self.name,
            file_size=self.sent.size,
            read_as=read_as_of(self.fields),
            for_all=ForAllRows.parse(**{name: self.fields.get(name, "") for name in FOR_ALL}),
        )

    def says_yes(self, name: str) -> bool:
        try:
            return YES_OR_NO[self.fields.get(name, "").strip().lower()]
        except KeyError:
            raise Invalid.of(name, "Give true or false.") from None


async def read_upload(request: Request) -> Upload:
    """The form of this request. Raises Invalid (field `file`) when there is no file in it."""
    form = await request.form(max_files=1, max_fields=MOST_FIELDS)
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str) and name != "file"}
    sent = form.get("file")
    if not isinstance(sent, UploadFile) or not (sent.filename or sent.size):
        raise Invalid.of("file", "Choose a CSV, TSV or Excel file.")
    return Upload(sent, fields)


SentFile = Annotated[Upload, Depends(read_upload)]


def read_as_of(fields: Mapping[str, str]) -> ReadAs:
    """How the fields of a form want a file read; what is empty is recognised. Raises Invalid that names the field."""
    names = fields.get("has_names", "").strip().lower()
    if names and names not in YES_OR_NO:
        raise Invalid.of("has_names", "Give true or false.")
    return ReadAs(
        encoding=fields.get("encoding") or None,
        delimiter="\t" if fields.get("delimiter") == "tab" else fields.get("delimiter") or None,
        has_names=YES_OR_NO[names] if names else None,
        sheet=fields.get("sheet") or None,
    )


def existing_of(text: str) -> Existing:
    try:
        return Existing(text)
    except ValueError:
        raise Invalid.of("existing", "Give fill, overwrite or leave.") from None


def _columns(text: str) -> dict[str, str | None]:
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(field is None or isinstance(field, str) for field in given.values()):
        raise Invalid.of("columns", 'Give JSON that names the field of each column, such as {"E-mail": "email"}.')
    return given
