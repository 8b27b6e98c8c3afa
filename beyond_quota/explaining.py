"""The command that opens a number: formula, inputs, deals with their links, and the value worked out again."""

from datetime import date
from pathlib import Path

import typer
from pydantic import TypeAdapter

from beyond_quota.answers import DONE, FAILED, show
from beyond_quota.figures import worked_out
from beyond_quota.people import find_person
from beyond_quota.terminal import figure
from beyond_quota.wiring import Installation, moment
from metrics.explain import Explanation, explain
from metrics.inputs import Inputs, unpack
from models.money import plain
from web.cards import kept_inputs

_ADAPTER: TypeAdapter[Explanation] = TypeAdapter(Explanation)


def print_explanation(
    config: Path, person: str, metric: str, as_of: date | None, now: str | None, period: str | None, as_json: bool
) -> int:
    """Open one figure; fails when working it out again gives another value."""
    here = Installation.open(config, moment(now))
    found = find_person(here.engine, person)
    inputs = inputs_of(here, found, as_of, period)
    told = explain(inputs, metric)
    if as_json:
        show(_ADAPTER.dump_python(told, mode="json"))
    else:
        typer.echo(_words(told, here.settings.locale))
    return DONE if told.equal else FAILED


def inputs_of(here: Installation, person: str, as_of: date | None, period: str | None) -> Inputs:
    """What a past day's page was made of, as it was kept that day; today's is worked out now."""
    if as_of is not None and as_of < here.today:
        with here.engine.connect() as connection:
            kept = kept_inputs(connection, person, period, as_of)
        if kept is not None:
            return unpack(kept)
    ((_, packed),) = worked_out(here, {person}, as_of or here.today, period)
    return unpack(packed)


def _words(told: Explanation, locale: str) -> str:
    r = told.result
    lines = [
        f"{told.name} · {r.label} · {told.period_id} as of {told.as_of:%-d %B %Y}: {figure(r, told.currency, locale)}"
        + (f" ({r.state})" if r.value is None else ""),
        *([r.reason] if r.reason else []),
        f"  formula     {r.formula} (version {r.version})",
        f"  made of     {r.numerator if r.numerator is not None else '–'}"
        + (f" ÷ {r.denominator}" if r.denominator is not None else "")
        + (f", n = {r.n}" if r.n is not None else ""),
        f"  profile     {told.profile}, version of {told.profile_version}",
        *(f"  parameter   {name} = {value}" for name, value in told.parameters.items()),
        *(f"  source      {sentence}" for sentence in told.sources),
    ]
    for deal in told.deals:
        worth = (
            "no amount"
            if deal.amount_minor is None
            else f"{plain(deal.amount_minor, deal.currency or '')} {deal.currency}"
        )
        credit = (
            "not known" if deal.credit_minor is None else f"{plain(deal.credit_minor, told.currency)} {told.currency}"
        )
        place = f"  {deal.link}" if deal.link else ""
        lines.append(f"  deal        {deal.name} · {deal.status} · {worth} · counted {credit}{place}")
    lines += [
        f"  read from   {name}: {len(rows)} row{'s' if len(rows) != 1 else ''}" for name, rows in told.rows.items()
    ]
    value = "–" if told.recomputed is None else told.recomputed
    lines.append(f"  again       {value} {'= the same' if told.equal else '≠ NOT THE SAME'}")
    return "\n".join(lines)
