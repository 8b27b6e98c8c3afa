"""What a HubSpot connection may say in the settings file; every problem is named at once."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.guard import address_problem, ca_problem, proven_options
from connectors.hubspot.paths import PATHS

ADDRESS = "https://api.hubapi.com"
NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
OWN = {"id", "modified_at", "merged"}
"""Words that stand for what HubSpot itself keeps of a record: no other property can hold them."""

OAUTH = ("client_id", "client_secret", "refresh_token_file")
Values = list[str | int | bool]


class Strict(BaseModel):
    """An unknown option is a problem, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WriteBack(Strict):
    """The custom object that scorecards are written to; off unless it is enabled."""

    enabled: bool = False
    object: str = "beyond_quota_scorecard"
    create: bool = False  # make the object in HubSpot when it is not there
    page: str = ""  # where a person's page is, with {person}


class Options(Strict):
    """One HubSpot portal and how to read it."""

    address: str = ADDRESS
    ca_file: Path | None = None
    token: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token_file: Path | None = None
    api_version: str = "v3"
    at_once: int = Field(default=8, ge=1, le=32)
    overlap_minutes: int = Field(default=15, ge=0, le=1440)
    call_share: float = Field(default=0.25, gt=0, le=1)
    call_ceiling: float = Field(default=0.8, gt=0, le=1)
    fields: dict[str, dict[str, str]] = Field(default_factory=dict)
    extra: dict[str, list[str]] = Field(default_factory=dict)
    only: dict[str, dict[str, Values]] = Field(default_factory=dict)
    leave_out: list[str] = Field(default_factory=list)
    write_back: WriteBack = WriteBack()


def read_options(
    name: str, given: Mapping[str, Any], loopback: bool, streams: Iterable[str], words: Mapping[str, Iterable[str]]
) -> Options:
    """Check the options of a connection; a UserError lists everything that is wrong with them."""
    address = str(given.get("address") or ADDRESS).rstrip("/")
    problems = [p for p in [address_problem("hubspot", address, loopback), ca_problem(given.get("ca_file"))] if p]
    version = given.get("api_version", "v3")
    if version not in PATHS:
        problems.append(f"api_version {version!r} is not one of {', '.join(PATHS)}")
    problems += _sign_in(given)
    options: Options | None = None
    try:
        options = Options(**{**given, "address": address})
    except ValidationError as error:
        problems += [_problem(e["loc"], e["msg"], e["type"]) for e in error.errors()]
    if options is not None:
        problems += _about_streams(options, list(streams), words) + _about_names(options)
    proven_options(name, problems)
    assert options is not None
    return options


def _sign_in(given: Mapping[str, Any]) -> list[str]:
    oauth = [key for key in OAUTH if given.get(key)]
    if given.get("token"):
        return [f"token and {', '.join(oauth)} are two ways to sign in; keep one"] if oauth else []
    if not oauth:
        return ["token is missing: a service key, or an existing private app token"]
    return [f"{key} is missing" for key in OAUTH if key not in oauth]


def _problem(place: tuple[int | str, ...], message: str, kind: str) -> str:
    where = ".".join(str(p) for p in place)
    return f"{where} is not an option of a HubSpot connection" if kind == "extra_forbidden" else f"{where}: {message}"


def _about_streams(options: Options, streams: list[str], words: Mapping[str, Iterable[str]]) -> list[str]:
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
        known = sorted(words.get(stream, ()))
        if stream in streams and not known:
            found.append(f"fields.{stream}: its properties are HubSpot's own and cannot be mapped")
            continue
        for word in fields if known else ():
            if word in OWN:
                found.append(f"fields.{stream}.{word}: {word} is kept by HubSpot itself")
            elif word not in known:
                found.append(f"fields.{stream}.{word}: {stream} have no {word!r}; use one of {', '.join(known)}")
    return found


def _about_names(options: Options) -> list[str]:
    """Names that go into requests have to be names, and a filter has to let something in."""
    names = [("write_back.object", options.write_back.object)]
    names += [(f"fields.{s}.{word}", name) for s, fields in options.fields.items() for word, name in fields.items()]
    names += [(f"extra.{s}", name) for s, fields in options.extra.items() for name in fields]
    names += [(f"only.{s}", name) for s, only in options.only.items() for name in only]
    found = [f"{place}: {name!r} is no name of a property" for place, name in names if not NAME.fullmatch(name)]
    return found + [
        f"only.{s}.{n}: no value is named"
        for s, only in options.only.items()
        for n, values in only.items()
        if not values
    ]
