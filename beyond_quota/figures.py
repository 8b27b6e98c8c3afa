"""The commands that print figures: score, team and totals."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import select

from beyond_quota.answers import DONE, PARTIAL, show
from beyond_quota.people import find_person
from beyond_quota.terminal import figure, render
from beyond_quota.wiring import Installation, moment
from metrics.scorecard import Scorecard
from metrics.serial import plain
from models import Period, Person, ReportingLine
from models.base import core
from models.errors import UserError
from models.money import plain as amount
from models.period import in_force
from sync.scorecards import scorecards
from sync.totals import Line, breakdown


def cards_of(
    here: Installation, people: set[str] | None, as_of: date, period: str | None = None
) -> dict[str, Scorecard]:
    """Scorecards worked out now, for a day and the quarter it lies in (or another period)."""
    return {card.person_id: card for card, _ in worked_out(here, people, as_of, period)}


def worked_out(
    here: Installation, people: set[str] | None, as_of: date, period: str | None = None
) -> Iterator[tuple[Scorecard, bytes]]:
    """The same, each with what it was made of, packed."""
    settings = here.settings
    return scorecards(
        here.engine,
        here.profiles(as_of),
        currency=settings.currency,
        calendar=settings.calendar,
        zone=settings.tz,
        as_of=as_of,
        now=here.clock(),
        people=people,
        period=period_named(here, period) if period else None,
    )


def card_of(here: Installation, person: str, as_of: date, period: str | None = None) -> Scorecard:
    """One person's scorecard."""
    found = find_person(here.engine, person)
    return cards_of(here, {found}, as_of, period)[found]


def period_named(here: Installation, name: str) -> Period:
    """A stored period by its id; a UserError names the quarters there are."""
    with here.engine.connect() as connection:
        row = connection.execute(select(core(Period)).where(core(Period).c.id == name)).first()
        quarters = select(core(Period).c.id).where(core(Period).c.kind == "quarter", in_force())
        known = list(connection.scalars(quarters.order_by(core(Period).c.first_day)))
    if row is None:
        span = f"{known[0]} to {known[-1]}" if known else "none yet; run beyond-quota sync"
        raise UserError(f"there is no period {name!r}; the quarters known are {span}")
    if row.retired_at is not None:
        raise UserError(
            f"{name} is a period of the fiscal calendar that another one took the place of on "
            f"{row.retired_at:%-d %B %Y}: its pages are kept, new figures are made for the quarters {known[0]} to "
            f"{known[-1]}"
        )
    return Period(**row._mapping)


def print_score(
    config: Path, person: str, as_of: date | None, now: str | None, period: str | None, as_json: bool
) -> None:
    """One scorecard, as text or JSON."""
    here = Installation.open(config, moment(now))
    card = card_of(here, person, as_of or here.today, period)
    if as_json:
        show(plain(card))
    else:
        typer.echo(render(card, here.settings.locale))


def print_team(
    config: Path, as_of: date | None, now: str | None, period: str | None, manager: str | None, as_json: bool
) -> None:
    """A line a person, alphabetically; nobody is ranked."""
    here = Installation.open(config, moment(now))
    day = as_of or here.today
    people = _reports(here, find_person(here.engine, manager), day) if manager else None
    cards = sorted(cards_of(here, people, day, period).values(), key=lambda c: c.name)
    if as_json:
        show([plain(card) for card in cards])
        return
    if not cards:
        typer.echo("nobody to show yet; run: beyond-quota sync")
    columns = ("attainment", "pace", "objective_progress", "check_in_adherence")
    typer.echo(f"{'':<26} {'attainment':>11} {'pace':>8} {'objectives':>11} {'check-ins':>10}")
    for card in cards:
        cells = [
            figure(card.results[c], card.currency, here.settings.locale) if c in card.results else "–" for c in columns
        ]
        typer.echo(f"{card.name[:26]:<26} {cells[0]:>11} {cells[1]:>8} {cells[2]:>11} {cells[3]:>10}")


def _reports(here: Installation, manager: str, day: date) -> set[str]:
    table = core(ReportingLine)
    with here.engine.connect() as connection:
        rows = connection.execute(select(table).where(table.c.from_day <= day)).all()
    boss = {r.person_id: r.manager_id for r in rows if r.to_day is None or r.to_day > day}
    found, fresh = set[str](), {manager}
    while fresh:
        fresh = {p for p, m in boss.items() if m in fresh} - found
        found |= fresh
    return found


def print_totals(config: Path, period: str | None, status: str, now: str | None, as_json: bool) -> int:
    """Ours beside the source's own; partly done when they differ anywhere."""
    if status not in ("won", "open", "lost"):
        raise UserError(f"--status is won, open or lost, not {status!r}")
    here = Installation.open(config, moment(now))
    if period:
        period_named(here, period)
    lines = breakdown(here.engine, status, period, here.settings.zone)
    with here.engine.connect() as connection:
        names = {r.id: r.name for r in connection.execute(select(core(Person)))}
    facts = [_fact(line, names) for line in lines]
    if as_json:
        show(facts)
    for fact in [] if as_json else facts:
        typer.echo(_words(fact))
    return PARTIAL if any(f["difference"] not in (None, "0", "0.00", "0.000") for f in facts) else DONE


def _fact(line: Line, names: dict[str, str]) -> dict[str, Any]:
    people: dict[str, int] = defaultdict(int)
    for person, cents in line.people.items():
        people[names.get(person, person)] += cents
    money = {
        k: amount(getattr(line, k), line.currency)
        for k in ("unmatched", "rejected", "uncredited", "total", "source_total")
    }
    return {
        "connection": line.connection,
        "period": line.period,
        "currency": line.currency,
        "status": line.status,
        "people": {name: amount(cents, line.currency) for name, cents in sorted(people.items())},
        **money,
        "difference": None if line.source_total is None else amount(line.total - line.source_total, line.currency),
        "deals": line.deals,
        "without_amount": line.without_amount,
        "source_deals": line.source_deals,
        "how": line.how,
    }


def _words(fact: dict[str, Any]) -> str:
    head = f"\n{fact['connection']} · {fact['period']} · {fact['status']} · {fact['currency']}"
    rows = [*fact["people"].items(), *((k, fact[k]) for k in ("unmatched", "rejected", "uncredited"))]
    rows.append(("total", f"{fact['total']}"))
    own = fact["source_total"]
    rows.append(("the source's own total", own if own is not None else "not added up yet"))
    if fact["difference"] is not None:
        rows.append(("difference", fact["difference"]))
    return "\n".join([head, *(f"  {name:<28} {value:>18}" for name, value in rows)])
