"""What has to be known of a portal before its rows can be understood: currency, zone, stages, owners."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import BadAnswer, SourceError

STAGE = ("id", "name", "pipeline", "status", "position", "probability")
OWNER = ("id", "user", "email", "name", "type", "archived", "team", "team_parent")


def account(name: str, details: Any) -> dict[str, Any]:
    """The portal's number, currency and time zone."""
    if not isinstance(details, Mapping) or not details.get("companyCurrency"):
        raise SourceError(f"{name}: the account does not tell its currency, so amounts cannot be read")
    zone = str(details.get("timeZone") or "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SourceError(f"{name}: the account's time zone {zone!r} is not known on this machine") from None
    return {"portal": details.get("portalId"), "currency": str(details["companyCurrency"]), "zone": zone}


def stages(name: str, pipelines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every stage of every pipeline; won and lost are told by its probability, never by its name."""
    found: list[dict[str, Any]] = []
    try:
        for pipeline in pipelines:
            for stage in pipeline["stages"]:
                own = stage.get("metadata") or {}
                closed, probability = str(own.get("isClosed")).lower() == "true", own.get("probability")
                row = {"id": stage["id"], "name": stage["label"], "pipeline": pipeline["id"]}
                row |= {"position": stage.get("displayOrder"), "probability": probability}
                found.append(row | {"status": _status(closed, probability)})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadAnswer(f"{name}: pipelines: a stage has no id, no label or no readable probability") from None
    return found


def _status(closed: bool, probability: Any) -> str:
    share = float(probability) if closed and probability is not None else None
    return "won" if share == 1.0 else ("lost" if share == 0.0 else "open")


def owners(rows: Sequence[Mapping[str, Any]], above: Mapping[str, str]) -> list[dict[str, Any]]:
    """Owners as plain rows, with their team and the one above it. Deals name the owner id; the user id, which histories
    name, is another number."""
    found = []
    for row in rows:
        user = row.get("userId") or row.get("userIdIncludingInactive")
        name = " ".join(str(row[part]).strip() for part in ("firstName", "lastName") if row.get(part))
        plain = {key: row.get(key) for key in ("id", "email", "type", "archived")}
        team = _team(row.get("teams") or [])
        teams = {"team": team.get("name"), "team_parent": above.get(str(team.get("id")))}
        found.append(plain | {"user": user, "name": name} | teams)
    return found


def _team(teams: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The team that a person mainly belongs to."""
    return next(iter([*(t for t in teams if t.get("primary")), *teams]), {})


def teams_above(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The id of each team that has one above it, to that one's name."""
    names = {str(row.get("id")): str(row["name"]) for row in rows if row.get("name")}
    pairs = {str(row.get("id")): names.get(str(row.get("parentTeamId"))) for row in rows}
    return {team: name for team, name in pairs.items() if name}
