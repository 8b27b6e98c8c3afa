"""What a Salesforce connection may say in the settings file; every problem is named at once."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.guard import address_problem, ca_problem, proven_options

API_VERSION = "66.0"
"""Ours to set: the SDK's own default is years old, and old versions hide quota rows."""

SIGN_IN: dict[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt": ("client_id", "username", "private_key"),
    "refresh_token": ("client_id", "refresh_token_file"),
    "password": ("username", "password", "security_token"),
    "access_token": ("access_token",),
}
"""What each way to sign in needs. An access token cannot be renewed: it is for trying things out."""

HOSTS = (".salesforce.com", ".salesforce.mil", ".sfcrmproducts.cn")
"""Where an org's own host may be; the SDK knows the first only, so the others are reached as an address."""

NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
OWN = {"id", "removed", "modified_at"}
"""Words that stand for what the service itself keeps of a record: no other field can hold them."""

Values = list[str | int | bool]


class Strict(BaseModel):
    """An unknown option is a problem, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QuotaMap(Strict):
    """Where quotas are kept when not in Forecasts: a custom object, or a field of the user."""

    object: str
    owner: str
    amount: str
    first_day: str | None = None  # without it, the amount is that of the period in which it is read
    currency: str | None = None
    period: Literal["week", "month", "quarter", "year"] = "month"
    only: dict[str, Values] = Field(default_factory=dict)


class WriteBack(Strict):
    """The custom object that scorecards are written to; off unless it is enabled."""

    enabled: bool = False
    object: str = "Beyond_Quota_Scorecard__c"
    key: str = "Key__c"
    fields: dict[str, str] = Field(default_factory=dict)
    page: str = ""  # where a person's page is, with {person}


class Options(Strict):
    """One Salesforce org and how to read it."""

    my_domain: str = ""
    address: str | None = None
    ca_file: Path | None = None
    sign_in: Literal["client_credentials", "jwt", "refresh_token", "password", "access_token"] = "client_credentials"
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    private_key: str = ""
    refresh_token_file: Path | None = None
    password: str = ""
    security_token: str = ""
    access_token: str = ""
    api_version: str = Field(default=API_VERSION, pattern=r"^\d\d\.0$")
    overlap_minutes: int = Field(default=10, ge=0, le=1440)
    bulk_from: int = Field(default=20_000, ge=1)
    call_share: float = Field(default=0.25, gt=0, le=1)
    call_ceiling: float = Field(default=0.8, gt=0, le=1)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    quota_type: str | None = None
    quota_product_family: str | None = None
    quota_territory: str | None = None
    quota: QuotaMap | None = None
    fields: dict[str, dict[str, str]] = Field(default_factory=dict)
    extra: dict[str, list[str]] = Field(default_factory=dict)
    only: dict[str, dict[str, Values]] = Field(default_factory=dict)
    leave_out: list[str] = Field(default_factory=list)
    write_back: WriteBack = WriteBack()

    @property
    def host(self) -> str:
        """The org's own host: acme.my.salesforce.com."""
        given = self.my_domain.removeprefix("https://").rstrip("/") or "pretend.my"
        return given if given.endswith(HOSTS) else f"{given}.salesforce.com"

    @property
    def domain(self) -> str:
        """The part before .salesforce.com, as the SDK wants it: acme.my, acme--uat.sandbox.my, login, test."""
        return next(self.host.removesuffix(end) for end in HOSTS if self.host.endswith(end))


def read_options(name: str, given: Mapping[str, Any], loopback: bool, streams: Mapping[str, Any]) -> Options:
    """Check the options of a connection; a UserError lists everything that is wrong with them."""
    given = dict(given)
    if given.get("access_token"):
        given.setdefault("sign_in", "access_token")
    way = str(given.get("sign_in", "client_credentials"))
    address, problems = given.get("address"), []
    if address and (problem := address_problem("salesforce", str(address), loopback)):
        problems.append(problem)
    problems += [p for p in [ca_problem(given.get("ca_file"))] if p]
    problems += [f"{key} is missing" for key in SIGN_IN.get(way, ()) if not given.get(key)]
    if not address and not given.get("my_domain"):
        problems.append('my_domain is missing; it is "acme.my" for https://acme.my.salesforce.com')
    options: Options | None = None
    try:
        options = Options(**given)
    except ValidationError as error:
        problems += [_problem(e["loc"], e["msg"], e["type"]) for e in error.errors()]
    if options is not None:
        problems += _about_streams(options, streams) + _about_names(options)
        if not options.host.endswith(HOSTS[0]):
            options = options.model_copy(update={"address": options.address or f"https://{options.host}"})
            if way == "jwt":
                problems.append(f"sign_in jwt is for hosts of {HOSTS[0]} only; use client_credentials")
        if way == "password" and float(options.api_version) < 31:
            problems.append("api_version is too old to read anything with")
        host = options.domain
        foreign = host.endswith((".force.com", ".site.com"))
        if foreign or not all(part.replace("-", "").isalnum() for part in host.split(".")):
            problems.append(f'my_domain {options.my_domain!r} is no host of an org; write "acme.my"')
        if way == "client_credentials" and host in ("login", "test"):
            problems.append("my_domain has to be the org's own for client credentials, not login or test")
    proven_options(name, problems)
    assert options is not None
    return options


def _problem(place: tuple[int | str, ...], message: str, kind: str) -> str:
    where = ".".join(str(p) for p in place)
    return (
        f"{where} is not an option of a Salesforce connection" if kind == "extra_forbidden" else f"{where}: {message}"
    )


def _about_streams(options: Options, streams: Mapping[str, Any]) -> list[str]:
    named: dict[str, Iterable[str]] = {"fields": options.fields, "extra": options.extra, "only": options.only}
    found = [
        f"{place}.{stream}: there is no stream {stream!r}; use one of {', '.join(streams)}"
        for place, given in named.items()
        for stream in given
        if stream not in streams
    ]
    found += [f"leave_out: there is no stream {s!r}" for s in options.leave_out if s not in streams]
    found += [f"extra.{s}: only deals keep extra fields" for s in options.extra if s in streams and s != "deals"]
    found += [f"only.{s}: only deals can be filtered" for s in options.only if s in streams and s != "deals"]
    for stream, fields in options.fields.items():
        words = {w for thing in streams.get(stream, ()) for w in thing.words}
        found += [
            f"fields.{stream}.{word}: {stream} have no {word!r}; use one of {', '.join(sorted(words))}"
            for word in fields
            if words and word not in words
        ]
        found += [f"fields.{stream}.{word}: {word} is kept by Salesforce itself" for word in fields if word in OWN]
    return found


def _about_names(options: Options) -> list[str]:
    """Names that go into queries have to be names, and a filter has to let something in."""
    own, back = options.quota, options.write_back
    filters: dict[str, Mapping[str, Values]] = {f"only.{s}": given for s, given in options.only.items()}
    names: list[tuple[str, str]] = [("write_back.object", back.object), ("write_back.key", back.key)]
    names += [(f"write_back.fields.{word}", name) for word, name in back.fields.items()]
    if own is not None:
        filters["quota.only"] = own.only
        given = {"object": own.object, "owner": own.owner, "amount": own.amount}
        given |= {"first_day": own.first_day or "Id", "currency": own.currency or "Id"}
        names += [(f"quota.{word}", name) for word, name in given.items()]
    names += [(f"fields.{s}.{word}", name) for s, fields in options.fields.items() for word, name in fields.items()]
    names += [(f"extra.{s}", name) for s, fields in options.extra.items() for name in fields]
    names += [(place, name) for place, only in filters.items() for name in only]
    found = [f"{place}: {name!r} is no name of a field or object" for place, name in names if not NAME.fullmatch(name)]
    found += [f"{p}.{name}: no value is named" for p, only in filters.items() for name, v in only.items() if not v]
    words = "person, period, attainment, pace, coverage, as_of, link"
    return found + [f"write_back.fields.{w}: use {words}" for w in back.fields if w not in words.split(", ")]
