"""The log's name, the keys that sign it and the keys that verify it.

All three come from the settings. What nobody set is made once, in DATA_DIR/keys: the name at its first use, the public
keys beside the first signing key. Only who signs ever asks for a signing key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leads_core.audit.record.signed_note import KEY_NAME, SigningKey, VerifierKey
from leads_core.errors import Misconfigured
from leads_core.settings import Settings, publish


def log_name(settings: Settings) -> str:
    """The log's name, which is also its keys' name. Raises Misconfigured."""
    if settings.audit_log_name is not None:
        return _checked(settings.audit_log_name, "AUDIT_LOG_NAME")
    path = name_file(settings)
    with _faults_in_words(path):
        if not path.exists():
            publish(path, new_log_name())
        name = path.read_text(encoding="utf-8").strip()
    return _checked(name, str(path))


def new_log_name() -> str:
    """A name that no other log has."""
    return f"lead-explorer-{secrets.token_hex(8)}/audit"


def name_file(settings: Settings) -> Path:
    """Where the name stands when AUDIT_LOG_NAME is not set."""
    return settings.keys_folder / "audit_log_name"


def public_keys_file(settings: Settings) -> Path:
    """Where the public keys stand, one a line, when AUDIT_PUBLIC_KEYS is not set."""
    return settings.keys_folder / "audit_public_keys"


def signing_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """The keys that sign: the first does, a second is on its way out. Their public halves are listed from then on.

    Made on the first call of an installation. Raises Misconfigured when one is malformed, is gone, or is not listed
    where AUDIT_PUBLIC_KEYS says which keys to trust.
    """
    made = settings.keys_folder / "audit_signing_key"
    if settings.audit_signing_key is None and not made.exists() and verifier_keys(settings):
        raise Misconfigured(
            f"AUDIT_SIGNING_KEY is not set and {made} is gone, though keys of this log are known: put the file back, "
            "or set AUDIT_SIGNING_KEY to a new key (64 hex digits)."
        )
    with _faults_in_words(made):
        seeds = settings.signing_seeds
    keys = tuple(SigningKey(log_name(settings), seed) for seed in seeds)
    list_keys(settings, [key.verifier for key in keys])
    return keys


def verifier_keys(settings: Settings) -> tuple[VerifierKey, ...]:
    """The public keys this installation trusts, old ones too; none before anything was ever signed.

    From AUDIT_PUBLIC_KEYS, else from DATA_DIR/keys/audit_public_keys; never from the database. Raises Misconfigured.
    """
    if settings.audit_public_keys:
        return tuple(_parsed(text, "AUDIT_PUBLIC_KEYS") for text in settings.audit_public_keys)
    path = public_keys_file(settings)
    with _faults_in_words(path):
        texts = path.read_text(encoding="utf-8").split() if path.exists() else []
    return tuple(_parsed(text, str(path)) for text in texts)


def list_keys(settings: Settings, wanted: Iterable[VerifierKey]) -> None:
    """See to it that these are among the verifier keys. Raises Misconfigured where only the operator can."""
    known = verifier_keys(settings)
    missing = [key for key in wanted if key not in known]
    if not missing:
        return
    if settings.audit_public_keys:
        raise Misconfigured(f"AUDIT_PUBLIC_KEYS does not list a key that signs. Add: {' '.join(map(str, missing))}")
    lines = "\n".join(map(str, (*known, *missing)))
    with _faults_in_words(public_keys_file(settings)):
        publish(public_keys_file(settings), lines, over=True)


@contextmanager
def _faults_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read or made: {error.strerror}.") from error


def _checked(name: str, place: str) -> str:
    if KEY_NAME.fullmatch(name) is None:
        raise Misconfigured(f"{place}: give the log a name without spaces and plus signs, like crm.example.com/audit.")
    return name


def _parsed(text: str, place: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except ValueError as error:
        raise Misconfigured(f"{place}: {error}") from error
