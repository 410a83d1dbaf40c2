"""Settings from the environment (CARAVEL_*); Temporal's own come from TEMPORAL_* through temporalio.envconfig."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from domain.catalogue.endpoint import Allowed
from domain.catalogue.installation import Kind
from infra.clock import BOUND


class Settings(BaseSettings):
    """Everything a process needs to know of its surroundings; every field has a CARAVEL_ variable of its name."""

    model_config = SettingsConfigDict(env_prefix="CARAVEL_", env_file=None, frozen=True)

    home: Path = Path(".caravel")
    installation: str = "caravel"
    kind: Kind = "development"
    database_url: SecretStr = SecretStr("")
    policy: Path | None = None
    role_mail: dict[str, str] = {}
    documents: str = ""
    document_bytes: Annotated[int, Field(ge=1, le=2**43)] = 2 * 1024**3
    """The most bytes one document may have."""
    clamd: str = ""
    """HOST:PORT or local socket of a clamd that looks at every document as it comes in; empty = none does."""
    clamd_down: Literal["refuse", "take"] = "refuse"
    """What becomes of a document while it does not answer: `take` stores it, marked as not scanned."""
    public_url: str = "http://127.0.0.1"
    smtp: str = "127.0.0.1:1025"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_password_file: Path | None = None
    """Where the password stands instead of in the environment, as container secrets do."""
    smtp_security: Literal["auto", "starttls", "tls", "off"] = "auto"
    """`auto`: encrypted where the server offers it; with a user never unencrypted, `off` only on this machine."""
    smtp_ca: Path | None = None
    """Certificates (PEM) the mail server's own is held against; without them those of the system."""
    mail_from: str = "caravel@localhost"
    bounces: str = ""
    """HOST:PORT where the mail server hands in what comes back; empty = bounces go to `mail_from`."""
    api_host: str = "127.0.0.1"
    api_port: int = 0
    health_port: int = 0
    """Where a worker answers that it is alive, at `api_host`; 0 = nowhere."""
    proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks of the proxies in front, separated by commas: only from them is X-Forwarded-For believed."""
    open_pages: bool | None = None
    """Whether /docs, /openapi.json and /metrics answer whoever asks; not set = everywhere but in production."""
    oidc_issuer: str = ""
    oidc_audience: str = "caravel"
    oidc_jwks: str = ""
    oidc_client: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_claim: str = "caravel_person"
    log_level: str = "info"
    clock_bound: Annotated[float, Field(gt=0, le=86_400)] = BOUND.total_seconds()
    """Seconds, at most a day, by which a process's and the database's clock may differ before nothing is kept."""
    checkpoints: Annotated[tuple[str, ...], NoDecode] = ()
    temporal_ui: str = ""
    """Address of Temporal's web page down to the namespace, as http://host:8080/namespaces/default."""
    endpoints_allowed: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts, addresses and networks where hospitals may be reached though they are not public, separated by commas."""
    seal_events: int = 1_000
    seal_seconds: float = 60.0

    @field_validator("checkpoints", "endpoints_allowed", "proxies", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """Words separated by commas."""
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @field_validator("endpoints_allowed")
    @classmethod
    def _reachable(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        """Refused at the start, not at the first call."""
        Allowed.of(given)
        return given

    @property
    def allowed(self) -> Allowed:
        """Return where hospitals may be reached beside public addresses."""
        return Allowed.of(self.endpoints_allowed)

    @property
    def keys(self) -> Path:
        """Return the folder of data keys; never the database's folder."""
        return self.home / "keys"

    @property
    def kek(self) -> Path:
        """Return the key that wraps all others."""
        return self.home / "kek"

    @property
    def destroyed_keys(self) -> Path:
        """Return the file that lists destroyed keys, apart from them so that a restored folder is held against it."""
        return self.home / "destroyed"

    @property
    def signing(self) -> Path:
        """Return the keys that sign checkpoints, beside those that seal data."""
        return self.home / "signing"

    @property
    def checkpoint_places(self) -> tuple[str, ...]:
        """Return where checkpoints are kept; the folder in `home`, used when none is named, is no protection."""
        return self.checkpoints or (str(self.home / "checkpoints"),)

    @property
    def document_folder(self) -> Path:
        """Return the folder of documents when no object store is named."""
        return self.home / "documents"


def unusable(error: ValueError) -> Sequence[str]:
    """Explain which variables cannot be read as settings, why, and the way on, without what they hold.

    Empty where the error is about something else.
    """
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        found = [(str(one["loc"][0]), one["msg"]) for one in error.errors(include_url=False, include_input=False)]
    elif isinstance(error, SettingsError):
        found = [(name, "is not JSON") for name in Settings.model_fields if f'"{name}"' in str(error)]
    else:
        return ()
    return [f"CARAVEL_{name.upper()}: {why}; {_way_on(name)}" for name, why in found]


def _way_on(name: str) -> str:
    default = Settings.model_fields[name].get_default()
    said = "nothing" if default in ("", None, (), {}, SecretStr("")) else str(default)
    return f"set it right, or leave it out for the default ({said})"
