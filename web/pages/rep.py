"""One person's page: the number first, then what they are working on, and who looked."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy import Connection, select

from metrics.catalogue import METRICS
from metrics.restatement import Restatement, restated
from metrics.result import Result
from metrics.scorecard import DealLine, Scorecard
from metrics.serial import dump
from models import Person
from models.base import core
from models.profile_version import changes, in_force, stored_versions, to_come
from web import audit, charts
from web.access import Reading, for_reader
from web.cards import Choice, closing_card, find_card, stored
from web.charts import Bullet, Steps
from web.sheet import deals_csv
from web.site import Asking, Missing, Reader
from web.words import Words

router = APIRouter()

TO_GO = ("gap", "open_pipeline", "weighted_pipeline", "coverage", "projection", "forecast_commit", "forecast_best_case")
SHOWN_DEALS = 6
NUMBER = ("attainment", "bookings", "quota", "pace", "elapsed")
WON, OPEN, LOST = "Won", "Open", "Lost"
LATER, OMITTED = "Won, counted from their close date on", "Open, left out of the forecast"


@dataclass(frozen=True)
class DealGroup:
    """The deals of one status: the first few, the rest behind a click, and what all of them come to."""

    title: str
    first: tuple[DealLine, ...]
    rest: tuple[DealLine, ...]
    total_minor: int
    rest_minor: int


@dataclass(frozen=True)
class Number:
    """The number block: the chart, and the same in words."""

    attainment: Result
    bullet: Bullet | None
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Coming:
    """A version of the profile that begins later, and what will be different."""

    version: date
    changes: tuple[str, ...]


@dataclass(frozen=True)
class RepPage:
    """What one person's page shows to one reader."""

    reading: Reading
    number: Number | None
    behind: tuple[Result, ...]  # what the number is made of
    to_go: tuple[Result, ...]
    others: tuple[Result, ...]
    deals: tuple[DealGroup, ...]
    records: dict[str, DealLine]  # by connection and record id, for the links of every figure
    notes: tuple[str, ...]
    steps: dict[str, Steps]
    held: dict[str, Any] | None
    planned: dict[str, Any] | None
    periods: tuple[Choice, ...]
    days: tuple[Choice, ...]
    older: bool
    csv: str
    json: str
    opens: str  # where a figure is opened, METRIC standing for its key
    coming: Coming | None
    restated: Restatement | None
    onlookers: tuple[str, ...]
    looks: tuple[audit.Look, ...]


@dataclass(frozen=True)
class NoCard:
    """A person of whom nothing was computed yet."""

    name: str
    own: bool


@router.get("/people/{person_id}.json")
def person_json(reader: Asking, person_id: str, period: str | None = None, as_of: date | None = None) -> Response:
    """The same scorecard for a machine."""
    with reader.opens(person_id, "json") as connection:
        reading = _reading(connection, reader, person_id, period, as_of)
    if reading is None:
        return JSONResponse({"error": "No scorecard has been computed yet."}, 404)
    return JSONResponse({**json.loads(dump(reading.card)), "locked": dict(reading.locked)})


@router.get("/people/{person_id}/deals.csv")
def person_deals(reader: Asking, person_id: str, period: str | None = None, as_of: date | None = None) -> Response:
    """The deal list as a spreadsheet; its credit column adds up to the number."""
    with reader.opens(person_id, "csv") as connection:
        reading = _reading(connection, reader, person_id, period, as_of)
    if reading is None:
        return Response("No scorecard has been computed yet.\n", 404, media_type="text/plain")
    name = f"deals-{reading.card.period_id}-{reading.card.as_of}.csv"
    return Response(
        deals_csv(reading.card),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/people/{person_id}")
def person(reader: Asking, person_id: str, period: str | None = None, as_of: date | None = None) -> HTMLResponse:
    """The page."""
    with reader.opens(person_id, "page") as connection:
        reading = _reading(connection, reader, person_id, period, as_of)
        if reading is None:
            name = connection.scalar(select(core(Person).c.name).where(core(Person).c.id == person_id)) or ""
            own = person_id == reader.actor.person_id
            return reader.html("no_card.html", name, NoCard(name, own))
        kept = stored(connection, person_id)
        seen_by = audit.onlookers(connection, person_id, reader.now)
        looks = audit.looks(connection, person_id, reader.now)
        coming = _coming(connection, reading.card, reader)
        closed = closing_card(connection, reading.card)
    page = rep_page(reader, reading, kept, seen_by, looks, coming, closed)
    return reader.html("rep.html", f"{reading.card.name}, {reading.card.period_label}", page)


def _coming(connection: Connection, card: Scorecard, reader: Reader) -> Coming | None:
    """The next version of the person's profile; people see what changes before it does."""
    versions = stored_versions(connection)
    new = to_come(versions, card.working_group, reader.today)
    old = in_force(reader.site.profiles, versions, reader.today).get(card.working_group)
    return None if new is None else Coming(new.version, tuple(changes(old, new)) if old else ())


def _reading(
    connection: Connection, reader: Reader, person_id: str, period: str | None, as_of: date | None
) -> Reading | None:
    card = find_card(connection, person_id, reader.today, period, as_of)
    if card is None:
        if period or as_of:
            raise Missing
        return None
    return for_reader(card, reader.actor)


def rep_page(
    reader: Reader,
    reading: Reading,
    kept: Sequence[tuple[str, date]],
    seen_by: Sequence[str],
    looks: Sequence[audit.Look],
    coming: Coming | None = None,
    closed: Scorecard | None = None,
) -> RepPage:
    """Arrange a scorecard for its page."""
    card, results = reading.card, reading.card.results
    number = _number(reader, reading)
    to_go = tuple(results[k] for k in TO_GO if k in results) if number else ()
    shown = {*TO_GO, *NUMBER} if number else set()
    here = f"/people/{card.person_id}"
    query = f"?period={card.period_id}&as_of={card.as_of}"
    checks = sorted(card.check_ins, key=lambda c: str(c.get("held_on") or c.get("planned_on") or ""))
    held = [c for c in checks if c.get("status") == "held"]
    planned = [c for c in checks if c.get("status") == "planned"]
    periods = list(dict.fromkeys(p for p, _ in kept))
    days = [d for p, d in kept if p == card.period_id][:14]
    return RepPage(
        reading=reading,
        number=number,
        behind=tuple(results[k] for k in NUMBER if k in results) if number else (),
        to_go=to_go,
        others=tuple(r for k, r in results.items() if k not in shown and (number or not _about_money(r))),
        deals=tuple(_deal_groups(card)),
        records={f"{d.connection}:{d.external_id}": d for d in card.deals},
        notes=tuple(n for n in card.notes if n not in {r.reason for r in to_go}),
        steps={o.id: charts.steps(o) for o in card.objectives},
        held=dict(held[-1]) if held else None,
        planned=dict(planned[0]) if planned else None,
        periods=tuple(Choice(f"{here}?period={p}", p, p == card.period_id) for p in periods),
        days=tuple(
            Choice(f"{here}?period={card.period_id}&as_of={d}", reader.site.words.day(d), d == card.as_of) for d in days
        ),
        older=bool(kept) and (card.period_id, card.as_of) != kept[0],
        csv=f"{here}/deals.csv{query}",
        json=f"{here}.json{query}",
        opens=f"{here}/explain/METRIC{query}",
        coming=coming,
        restated=restated(closed, card) if closed is not None and card.as_of >= card.end_day else None,
        onlookers=tuple(seen_by),
        looks=tuple(looks),
    )


def _about_money(result: Result) -> bool:
    return result.metric in METRICS and not METRICS[result.metric].personal


def _number(reader: Reader, reading: Reading) -> Number | None:
    """The number block; None for somebody without CRM, whose page is complete without it."""
    card = reading.card
    attainment = card.results.get("attainment")
    known = any(charts.value(card, key) is not None for key in ("attainment", "bookings", "quota"))
    if attainment is None or not (known or card.deals):
        return None
    return Number(attainment, charts.bullet(card, reader.site.words), tuple(_said(reader.site.words, card, attainment)))


def _said(words: Words, card: Scorecard, attainment: Result) -> Iterator[str]:
    won, quota = charts.value(card, "bookings"), charts.value(card, "quota")
    if won is not None:
        yield f"{words.money(won, card.currency)} won" + (
            f" of {words.money(quota, card.currency)} quota." if quota else "."
        )
    gone, ahead, attained = (
        charts.value(card, "elapsed"),
        charts.ahead(card),
        charts.value(card, "attainment"),
    )
    if attained is None:
        yield attainment.reason
    elif gone is not None and ahead is not None:
        yield f"{words.percent(attained)} of quota with {words.percent(gone)} of the period gone; {words.pace(ahead)}."
    if attained is not None and attained >= 1:
        yield "The quota is met."


def _deal_groups(card: Scorecard) -> Iterator[DealGroup]:
    """Deals by what they count for. The first two groups add up to what is won and to the open pipeline."""
    groups: dict[str, list[DealLine]] = {title: [] for title in (WON, OPEN, LATER, OMITTED, LOST)}
    for deal in card.deals:
        groups[_group(deal, card.as_of)].append(deal)
    for title, found in groups.items():
        if found:
            cut = SHOWN_DEALS if title != LOST else 0
            if len(found) == cut + 1:
                cut += 1  # "1 more" takes the room of the one
            found.sort(key=lambda d: (d.close_day or date.max, d.name, d.external_id))
            first, rest = tuple(found[:cut]), tuple(found[cut:])
            yield DealGroup(title, first, rest, _sum(found), _sum(rest))


def _group(deal: DealLine, as_of: date) -> str:
    if deal.status == "won":
        return LATER if deal.close_day is not None and deal.close_day > as_of else WON
    if deal.status == "open":
        return OMITTED if deal.forecast_category == "omitted" else OPEN
    return LOST


def _sum(deals: Sequence[DealLine]) -> int:
    return sum(d.credit_minor for d in deals if d.credit_minor is not None)
