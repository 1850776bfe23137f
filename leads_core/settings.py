"""The environment, read once. Keys that nobody set are made on the first start, in DATA_DIR/keys with mode 0600."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from leads_core.errors import Misconfigured

#: Characters of a secret that two machines share.
SHORTEST_SECRET = 16


class Settings(BaseSettings):
    """Every setting, by the name of its environment variable. Each default works."""

    model_config = SettingsConfigDict(extra="ignore", frozen=False, arbitrary_types_allowed=True)

    database_url: str | None = None
    database_owner_url: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    enable_lead_explorer: bool = True
    data_dir: Path = Path(".leads")
    secret_key: SecretStr | None = None
    audit_mac_keys: SecretStr | None = None
    audit_signing_key: SecretStr | None = None
    audit_public_keys: Annotated[tuple[str, ...], NoDecode] = ()
    audit_checkpoint_file: Path | None = None
    audit_log_name: str | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    public_url: str | None = None
    rate_limit: Annotated[int, Field(ge=0)] = 10
    enrichment_nameservers: Annotated[tuple[str, ...], NoDecode] = ()
    enrichment_loopback: Annotated[dict[str, str], NoDecode] = {}
    enrichment_ca_file: Path | None = None
    enrichment_refresh_days: Annotated[int, Field(ge=0)] = 0
    enrichment_refresh_budget: Annotated[int, Field(ge=0)] = 1000
    enrichment_remote_url: str | None = None
    enrichment_remote_secret: SecretStr | None = None

    @field_validator("trusted_proxies", "enrichment_nameservers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("audit_public_keys", mode="before")
    @classmethod
    def _split_at_spaces(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            ip_network(part, strict=False)
        return value

    @field_validator("enrichment_loopback", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return dict(pair.strip().split("=", 1) for pair in value.split(",") if pair.strip())

    @field_validator("enrichment_remote_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
            raise ValueError("give an address such as https://coordinator.example/enrich")
        return value

    @property
    def remote_secret(self) -> str | None:
        """What a remote provider's messages are signed with; None where there is no such provider.

        Raises Misconfigured when only its address is set.
        """
        secret = self.enrichment_remote_secret.get_secret_value() if self.enrichment_remote_secret else ""
        if self.enrichment_remote_url and len(secret) < SHORTEST_SECRET:
            raise Misconfigured(f"ENRICHMENT_REMOTE_SECRET: share {SHORTEST_SECRET} characters or more with it.")
        return secret if self.enrichment_remote_url else None

    @cached_property
    def signing_secret(self) -> str:
        """Signs cookies and cursors."""
        return self.secret_key.get_secret_value() if self.secret_key else self._key_file("secret_key")

    @cached_property
    def mac_keys(self) -> tuple[bytes, ...]:
        """Keys of the audit MAC, 32 bytes each: the first writes, all verify."""
        return self._keys("AUDIT_MAC_KEYS", self.audit_mac_keys)

    @cached_property
    def signing_seeds(self) -> tuple[bytes, ...]:
        """Secret seeds of the keys that sign the audit log, 32 bytes each: the first signs, a second is on its way out.

        Only a worker asks for them.
        """
        return self._keys("AUDIT_SIGNING_KEY", self.audit_signing_key)

    @property
    def keys_folder(self) -> Path:
        """Where keys and names that nobody set are made and kept."""
        return self.data_dir / "keys"

    @property
    def checkpoint_file(self) -> Path:
        """Where this machine keeps the signed checkpoints, outside the database."""
        return self.audit_checkpoint_file or self.data_dir / "audit" / "checkpoints.jsonl"

    def _keys(self, setting: str, given: SecretStr | None) -> tuple[bytes, ...]:
        text = given.get_secret_value() if given else self._key_file(setting.lower())
        try:
            keys = tuple(bytes.fromhex(part.strip()) for part in text.split(",") if part.strip())
        except ValueError:
            keys = ()
        if not keys or any(len(key) != 32 for key in keys):
            raise Misconfigured(f"{setting}: write 64 hex digits for each key, several separated by commas.")
        return keys

    def _key_file(self, name: str) -> str:
        """The key in DATA_DIR/keys/name; made there when it is missing. Two first starts at once agree on one."""
        path = self.keys_folder / name
        if not path.exists():
            publish(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()


def publish(path: Path, text: str, *, over: bool = False) -> None:
    """Write a file whole or not at all, mode 0600. The first writer wins; with over, the last one does."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    if over:
        draft.replace(path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def load_settings() -> Settings:
    """The settings of this process. Raises Misconfigured, naming the variable and what it takes."""
    try:
        return Settings()
    except ValueError as error:
        raise Misconfigured(_in_words(error)) from error


def _in_words(error: ValueError) -> str:
    details: list[dict[str, Any]] = getattr(error, "errors", list)()
    if not details:
        return str(error)
    return "; ".join(f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in details)
