"""One TOML file says what an installation is: its store, currency, zone and connections; the environment wins."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from models.errors import UserError
from models.money import known_currencies
from models.period import FiscalCalendar, Weeks

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FILE = "beyond-quota.toml"


class Schedule(BaseModel):
    """When a connection syncs, in local time; weekdays by name, because numbers mean other days elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str = Field(default="02:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    catch_up_hours: int = Field(default=6, ge=0, le=24)


class ConnectionSettings(BaseModel):
    """One outside system. Whatever its kind needs beside these stands in the same table and is checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    title: str = ""
    people: Literal["create", "match"] = "create"
    working_group: str | None = None
    reconcile_hours: float = Field(default=20, ge=0)
    whole_days: float = Field(default=7, ge=0)
    schedule: Schedule | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What the connector itself reads."""
        return dict(self.model_extra or {})


class Fiscal(BaseModel):
    """How fiscal years are cut: by month, by weeks of a pattern, or as the CRM of a connection has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start_month: int = Field(default=1, ge=1, le=12)
    named_by: Literal["ending", "starting"] = "ending"
    weeks: Literal["4-4-5", "4-5-4", "5-4-4"] | None = None
    ends_on: Weekday = "sat"
    ends: Literal["last", "nearest"] = "last"
    long_month: int = Field(default=12, ge=1, le=12)
    source: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "Fiscal":
        said = self.model_fields_set
        if self.weeks is None and (lost := said & {"ends_on", "ends", "long_month"}):
            raise ValueError(f'{", ".join(sorted(lost))}: only years of weeks have that; write weeks = "4-4-5" as well')
        if self.source and (lost := said - {"source"}):
            raise ValueError(f"{', '.join(sorted(lost))}: with source, the CRM says all of that; leave it out")
        return self


class Mail(BaseModel):
    """The mail server that alerts go through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    user: str = ""
    password: str = ""  # "env:NAME" or "file:PATH"
    tls: bool = True


class Alerts(BaseModel):
    """Who is told when a source is late or nothing runs. The log always is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: str = ""  # an address, or "env:NAME" or "file:PATH" where the address is itself a secret
    mail: Mail | None = None


class Settings(BaseSettings):
    """An installation. `BEYOND_QUOTA_DATABASE` and the like win over the file."""

    model_config = SettingsConfigDict(env_prefix="BEYOND_QUOTA_", extra="forbid", frozen=True)

    database: str = "sqlite:///beyond-quota.sqlite3"
    landing: Path = Path("landing")
    landing_days: int = Field(default=35, ge=0)
    zone: str = "UTC"
    currency: str = "EUR"
    locale: str = "en_GB"
    loopback: bool = False
    profiles: Path | None = None
    fiscal: Fiscal = Fiscal()
    alerts: Alerts = Alerts()
    brake: float = Field(default=0.5, gt=0, le=1)
    connections: dict[str, ConnectionSettings] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file (which arrives as arguments)."""
        return env_settings, init_settings

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone; write one such as Europe/London or America/New_York")
        return value

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str) -> str:
        if value not in known_currencies():
            raise ValueError(f"{value!r} is no ISO 4217 currency; write one such as EUR or USD")
        return value

    @field_validator("connections")
    @classmethod
    def _names(cls, value: dict[str, ConnectionSettings]) -> dict[str, ConnectionSettings]:
        odd = [n for n in value if not n.replace("-", "").replace("_", "").isalnum() or n != n.lower()]
        if odd:
            raise ValueError(f"{', '.join(odd)}: a connection's name holds small letters, digits, - and _ only")
        return value

    @model_validator(mode="after")
    def _source(self) -> "Settings":
        wanted = self.fiscal.source
        if wanted and wanted not in self.connections:
            known = ", ".join(self.connections) or "none"
            raise ValueError(f"fiscal.source: there is no connection {wanted!r}; there is: {known}")
        return self

    @property
    def calendar(self) -> FiscalCalendar:
        """The fiscal calendar that is asked for; the one in force is stored: sync.calendar."""
        f = self.fiscal
        if f.source:
            return FiscalCalendar(source=f.source)
        weeks = Weeks(f.weeks, f.ends_on, f.ends, f.long_month) if f.weeks else None
        return FiscalCalendar(f.start_month, f.named_by, weeks)

    @property
    def tz(self) -> ZoneInfo:
        """The reporting zone: what "today" means."""
        return ZoneInfo(self.zone)

    def connection(self, name: str) -> ConnectionSettings:
        """The settings of one connection; a UserError names those there are."""
        if name not in self.connections:
            known = ", ".join(self.connections) or "none yet: run beyond-quota init"
            raise UserError(f"there is no connection {name!r} in the settings; there is: {known}")
        return self.connections[name]


def load_settings(path: Path) -> Settings:
    """Read the settings file; a UserError lists every problem with its place and what to write instead.

    Relative paths in it are meant from the folder that the file is in.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no settings file {path}; make one with: beyond-quota init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from None
    try:
        settings = Settings(**data)
    except ValidationError as error:
        raise UserError(f"{path} has {error.error_count()} problem(s):", problems(error)) from None
    return _placed(settings, path.resolve().parent)


def problems(error: ValidationError) -> list[str]:
    """Each problem of a file as "place: what is wrong"."""
    return [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]


def _placed(settings: Settings, folder: Path) -> Settings:
    database = settings.database
    prefix = "sqlite:///"
    if database.startswith(prefix) and not database.startswith(prefix + "/"):
        database = prefix + str(folder / database.removeprefix(prefix))
    connections = {n: c.model_copy(update=_paths(c.options, folder)) for n, c in settings.connections.items()}
    changed: dict[str, Any] = {"database": database, "landing": folder / settings.landing, "connections": connections}
    if settings.profiles is not None:
        changed["profiles"] = folder / settings.profiles
    return settings.model_copy(update=changed)


def _paths(options: Mapping[str, Any], folder: Path) -> dict[str, str]:
    return {k: str(folder / options[k]) for k in ("folder", "mapping") if isinstance(options.get(k), str)}


def reveal(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Put the secrets in: "env:NAME" is read from the environment, "file:PATH" from a file; every lack is named."""
    found: dict[str, Any] = {}
    lacking: list[str] = []
    for key, value in options.items():
        if isinstance(value, str) and value.startswith("env:"):
            value = os.environ.get(value.removeprefix("env:"))
            if value is None:
                lacking.append(f"{key}: the environment has no {options[key].removeprefix('env:')}")
        elif isinstance(value, str) and value.startswith("file:"):
            try:
                value = Path(value.removeprefix("file:")).read_text(encoding="utf-8").strip()
            except OSError as error:
                lacking.append(f"{key}: {options[key].removeprefix('file:')} cannot be read ({error.strerror})")
        found[key] = value
    if lacking:
        raise UserError(f"connection {name}: a secret is missing", lacking)
    return found
