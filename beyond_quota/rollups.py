"""The command that prints figures of teams, offices, managers' teams or the company."""

from datetime import date
from pathlib import Path

import pandas as pd
import typer
from sqlalchemy import select

from beyond_quota.answers import show
from beyond_quota.figures import period_named
from beyond_quota.terminal import figure
from beyond_quota.wiring import Installation, moment
from metrics.facts import Facts
from metrics.registry import METRICS
from metrics.rollup import everywhere, managers, rollup, teams
from models import Person
from models.base import core
from models.errors import UserError
from models.frames import FRAMES, load
from models.period import period_of
from sync.calendar import ensure_periods
from sync.scorecards import conditions

KINDS = ("company", "office", "team", "manager")
USUAL = ("quota", "bookings", "attainment", "gap", "open_pipeline", "coverage", "win_rate", "objective_progress")


def print_rollup(
    config: Path,
    by: str,
    metrics: list[str] | None,
    as_of: date | None,
    now: str | None,
    period: str | None,
    as_json: bool,
) -> None:
    """A block a unit, by name; money of people who stood in none is a block of its own."""
    if by not in KINDS:
        raise UserError(f"--by is one of {', '.join(KINDS)}, not {by!r}")
    unknown = sorted(set(metrics or ()) - set(METRICS))
    if unknown:
        raise UserError(f"there is no metric {', '.join(unknown)}; docs/metrics.md has all")
    here = Installation.open(config, moment(now))
    day = as_of or here.today
    with here.engine.begin() as connection:
        periods = ensure_periods(connection, here.settings.calendar, pd.Series([pd.Timestamp(day)]))
        people = sorted(connection.scalars(select(core(Person).c.id)))
    chosen = period_named(here, period) if period else period_of(periods, day)
    frames = {name: load(here.engine, name, *conditions(name)) for name in FRAMES}
    facts = Facts(frames, chosen, day, here.settings.currency, pd.Index(people, dtype="str"), here.settings.zone)
    stints = {
        "company": lambda: everywhere(people),
        "office": lambda: teams(facts, top=True),
        "team": lambda: teams(facts),
        "manager": lambda: managers(facts),
    }[by]()
    held = here.profiles(day)
    profile = held["sales"] if "sales" in held else next(iter(held.values()))
    found = rollup(facts, profile, stints, metrics or USUAL)
    named = {
        **dict(zip(frames["teams"]["id"], frames["teams"]["name"], strict=True)),
        "": f"in no {by}",
        "company": "company",
    }
    named |= dict(zip(frames["people"]["id"], frames["people"]["name"], strict=True)) if by == "manager" else {}
    if as_json:
        show([
            {"unit": named.get(unit, unit), "period": chosen.id, "as_of": day.isoformat(), "currency": facts.currency,
             "results": {k: _plain(r) for k, r in results.items()}}
            for unit, results in sorted(found.items(), key=lambda pair: named.get(pair[0], pair[0]))
        ])  # fmt: skip
        return
    for unit, results in sorted(found.items(), key=lambda pair: named.get(pair[0], pair[0])):
        typer.echo(f"\n{named.get(unit, unit)} · {chosen.label} · as of {day:%-d %B %Y}")
        for r in results.values():
            typer.echo(f"  {r.label:<28} {figure(r, facts.currency, here.settings.locale):>16}  {r.reason}".rstrip())


def _plain(r: "object") -> dict[str, object]:
    names = ("label", "unit", "state", "value", "reason", "numerator", "denominator", "n", "formula", "version")
    return {name: getattr(r, name) for name in names}
