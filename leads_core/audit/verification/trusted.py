"""What a verification takes for true: keys and a file from outside the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leads_core.audit.log import keys
from leads_core.audit.record.signed_note import VerifierKey
from leads_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Trusted:
    """mac_keys may be empty: then no MAC is checked, and the report says so. log_name is None where nobody set one.

    verifier_keys are the public keys of the log, old ones too. checkpoint_file is this machine's own, None for none.
    """

    mac_keys: tuple[bytes, ...]
    verifier_keys: tuple[VerifierKey, ...]
    log_name: str | None
    checkpoint_file: Path | None

    @classmethod
    def of(cls, settings: Settings) -> Trusted:
        """What this installation has. Makes no key that is not there. Raises Misconfigured for a malformed one."""
        has_mac_keys = settings.audit_mac_keys is not None or (settings.keys_folder / "audit_mac_keys").exists()
        is_named = settings.audit_log_name is not None or keys.name_file(settings).exists()
        return cls(
            mac_keys=settings.mac_keys if has_mac_keys else (),
            verifier_keys=keys.verifier_keys(settings),
            log_name=keys.log_name(settings) if is_named else None,
            checkpoint_file=settings.checkpoint_file,
        )
