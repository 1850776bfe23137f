"""`leads audit check-export`: whose file is this, and was a byte of it changed since?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

from cyclopts import Parameter

from console.cli.surroundings import open_database
from leads_core.audit.export_lookup import ExportRead, exports_of_file
from leads_core.audit.record.entry import timestamp
from leads_core.errors import Misconfigured

AsJson = Annotated[bool, Parameter("--json", negative="")]


async def check_export(file: Path, *, as_json: AsJson = False) -> int:
    """Say who exported a file, when and with which filter. Exit status 1: no export had these bytes.

    Parameters
    ----------
    file: the file as it was downloaded.
    as_json: print the result as one JSON object.
    """
    try:
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}.") from error
    async with open_database() as (settings, database), database.reader() as reader:
        exports = await exports_of_file(reader, sha256, settings.mac_keys)
    ok = any(export.genuine for export in exports)
    if as_json:
        print(json.dumps({"ok": ok, "sha256": sha256, "exports": [_document(export) for export in exports]}))
    else:
        print(_in_words(sha256, exports))
    return 0 if ok else 1


def _document(export: ExportRead) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(export).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def _in_words(sha256: str, exports: Sequence[ExportRead]) -> str:
    if not exports:
        return (
            f"No export had these bytes (SHA-256 {sha256}). "
            "The file was changed since it was exported, or it was not exported here."
        )
    return "\n".join([f"SHA-256 {sha256}", *(_sentence(export) for export in exports)])


def _sentence(export: ExportRead) -> str:
    if not export.genuine:
        return (
            f"Entry {export.entry_id} claims this file, but it is not as Lead Explorer writes entries. "
            "Do not trust it; run `leads audit verify`."
        )
    who = f"{export.actor_name or 'somebody who was erased'} ({_whence(export)})"
    ended = timestamp(export.ended_at) if export.ended_at else ""
    if export.what is None:
        return f"Exported by {who}, finished {ended}. The entry of its beginning is missing: run `leads audit verify`."
    rows = "1 row" if export.rows == 1 else f"{export.rows or 0:,} rows"
    cut_off = "" if export.complete else " The download broke off there: this is not the whole export."
    chosen = ", ".join(f"{name}={value}" for name, value in parse_qsl(export.filter or "")) or "everything"
    columns = f", columns {export.columns}" if export.columns else ""
    return (
        f"{export.what.capitalize()} exported by {who}, finished {ended}: "
        f"{rows} as {export.format}, {chosen}{columns}.{cut_off} Entry {export.entry_id}."
    )


def _whence(export: ExportRead) -> str:
    return ", ".join(filter(None, (export.actor_kind, export.channel, export.ip_address)))
