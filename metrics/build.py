"""Makes scorecards: each person's profile, figures, deals and development, from frames read once for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from metrics import catalogue
from metrics.blend import blend
from metrics.facts import Facts
from metrics.lines import check_in_lines, deal_lines, feedback_blocks, growth_lines, objective_lines
from metrics.readiness import readiness
from metrics.registry import compute, result
from metrics.result import Result, State
from metrics.scorecard import DealLine, Scorecard, Source
from models.frames import empty, rows
from models.period import Period
from models.profile import Profile

assert catalogue.METRICS  # the import fills the registry


@dataclass(frozen=True)
class Places:
    """Where each person stands on a day: working group, team and manager, by dated rows."""

    group: Mapping[str, str]
    team: Mapping[str, str]
    manager: Mapping[str, str]


def build(
    frames: Mapping[str, pd.DataFrame],
    period: Period,
    as_of: date,
    profiles: Mapping[str, Profile],
    *,
    currency: str,
    names: Mapping[str, Mapping[str, str]],
    sources: Sequence[Source] = (),
    people: Sequence[str] | None = None,
    zone: str = "UTC",
) -> dict[str, Scorecard]:
    """Scorecards by person id, for one period as of one day.

    frames    as models.frames.load gives them; absent ones count as empty
    names     connection -> {"title", "deal_link"}
    people    whose; everybody without it. Nobody's figures depend on who else is asked for.
    zone      the reporting zone: instants of history become days in it
    """
    everyone = frames["people"] if "people" in frames else empty("people")
    wanted = everyone if people is None else everyone[everyone["id"].isin(list(people))]
    index = pd.Index(sorted(wanted["id"]), dtype="str")
    return cards(Facts(frames, period, as_of, currency, index, zone), profiles, names, sources)


def cards(
    facts: Facts,
    profiles: Mapping[str, Profile],
    names: Mapping[str, Mapping[str, str]],
    sources: Sequence[Source] = (),
) -> dict[str, Scorecard]:
    """Scorecards of the people that these facts are about."""
    frames, period, as_of, index = facts.frames, facts.period, facts.as_of, facts.people
    everyone = facts.frame("people")
    wanted = everyone[everyone["id"].isin(index)]
    where = places(facts, everyone)
    chosen = {person: _profile(person, where, facts, profiles) for person in index}
    figures: dict[str, dict[str, Result]] = {}
    for profile in {p.key: p for p in chosen.values()}.values():
        own = pd.Index([p for p in index if chosen[p].key == profile.key], dtype="str")
        part = Facts(frames, period, as_of, facts.currency, own, facts.zone)
        part.__dict__.update(credits=facts.credits, moves=facts.moves)  # worked out once for everybody
        asked = [c.metric for step in profile.ladder for c in step.criteria if c.metric]
        keys = dict.fromkeys([*profile.metrics, "elapsed", *profile.blend.parts, *asked])
        tables = {key: found.to_dict("index") for key, found in compute(keys, part, profile).items()}
        for person in own:
            figures[person] = {key: result(key, found[person], part) for key, found in tables.items()}
    deals, objectives = deal_lines(facts, names), objective_lines(facts)
    feedback, growth = feedback_blocks(facts, {p: c.release_from for p, c in chosen.items()}), growth_lines(facts)
    talks = check_in_lines(facts, dict(zip(everyone["id"], everyone["name"], strict=True)))
    late = {source.connection: source.sentence for source in sources if source.state == "stale"}
    reads = _connections(facts) if late else {}
    made: dict[str, Scorecard] = {}
    for row in rows(wanted.sort_values("id")):
        person, profile = str(row.id), chosen[str(row.id)]
        lines = deals.get(person, ())
        _open_up(figures[person], lines, as_of)
        _age(figures[person], [late[c] for c in reads.get(person, ()) if c in late])
        made[person] = Scorecard(
            person_id=person,
            name=str(row.name),
            title=_text(row.title),
            working_group=profile.key,
            profile=profile.title,
            profile_version=profile.version.isoformat(),
            team=where.team.get(person, ""),
            manager=where.manager.get(person, ""),
            period_id=period.id,
            period_label=period.label,
            first_day=period.first_day,
            end_day=period.end_day,
            as_of=as_of,
            currency=facts.currency,
            results=figures[person],
            blocks=tuple(b for b in profile.blocks if b != "blend" or profile.blend.enabled),
            words=profile.words,
            deals=lines,
            objectives=objectives.get(person, ()),
            feedback=feedback[person],
            check_ins=talks.get(person, ()),
            obstacles=growth["obstacles"].get(person, ()),
            relationships=growth["relationships"].get(person, ()),
            learning=growth["learning"].get(person, ()),
            readiness=readiness(_text(row.title), profile, figures[person], objectives.get(person, ()), as_of),
            private_blocks=profile.private_blocks,
            blend=blend(figures[person], profile.blend) if profile.blend.enabled else None,
            sources=tuple(sources),
            notes=_notes(figures[person]),
        )
    return made


def places(facts: Facts, everyone: pd.DataFrame) -> Places:
    """Working group, team and manager of everybody on the as-of day."""
    names = dict(zip(everyone["id"], everyone["name"], strict=True))
    teams = dict(zip(facts.frame("teams")["id"], facts.frame("teams")["name"], strict=True))

    def on_the_day(frame: str, column: str) -> dict[str, Any]:
        dated = facts.frame(frame)
        day = facts.until - pd.Timedelta(days=1)
        dated = dated[(dated["from_day"] <= day) & (dated["to_day"].isna() | (dated["to_day"] > day))]
        return dict(zip(dated["person_id"], dated[column], strict=True))

    return Places(
        group=on_the_day("groups", "working_group"),
        team={p: teams[t] for p, t in on_the_day("memberships", "team_id").items() if t in teams},
        manager={p: names[m] for p, m in on_the_day("lines", "manager_id").items() if m in names},
    )


def _profile(person: str, where: Places, facts: Facts, profiles: Mapping[str, Profile]) -> Profile:
    """The profile of the person's working group; who has none is Sales with a CRM user, else Office."""
    usual = "sales" if person in facts.sellers else "office"
    for key in (where.group.get(person, ""), usual):
        if key in profiles:
            return profiles[key]
    return next(iter(profiles.values()))


OPENS_INTO = {
    **dict.fromkeys(("bookings", "attainment", "gap", "pace", "sales_cycle"), ("won",)),
    **dict.fromkeys(("open_pipeline", "weighted_pipeline"), ("open",)),
    "coverage": ("won", "open"),
    "win_rate": ("won", "lost"),
}
"""Which deals a figure is made of, so that every number opens to its records."""


def _open_up(results: dict[str, Result], lines: Sequence[DealLine], as_of: date) -> None:
    """Name the records behind each figure; wins that are dated in the future are not in any yet."""
    for key, statuses in OPENS_INTO.items():
        if key in results:
            inside = [d for d in lines if d.status in statuses and not _later(d, as_of) and not _omitted(d)]
            found = replace(results[key], inputs={"records": [f"{d.connection}:{d.external_id}" for d in inside]})
            results[key] = found


def _connections(facts: Facts) -> dict[str, list[str]]:
    """The connections that each person's number is read from."""
    parts = [facts.credits, facts.frame("quotas"), facts.frame("identities")]
    pairs = pd.concat([part[["person_id", "connection"]] for part in parts]).dropna().drop_duplicates()
    return {str(p): sorted(part["connection"]) for p, part in pairs.groupby("person_id")}


def _age(results: dict[str, Result], sentences: Sequence[str]) -> None:
    """Figures from a source that has told nothing for long keep their value and say how old it is."""
    for key, found in results.items():
        if sentences and found.state is State.OK and AGING & set(found.sources):
            words = " ".join(part for part in (*sentences, found.reason) if part)
            results[key] = replace(found, state=State.STALE, reason=words)


AGING = frozenset({"deal", "quota"})


def _later(line: DealLine, as_of: date) -> bool:
    return line.status != "open" and line.close_day is not None and line.close_day > as_of


def _omitted(line: DealLine) -> bool:
    return line.status == "open" and line.forecast_category == "omitted"


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _notes(results: Mapping[str, Result]) -> tuple[str, ...]:
    """What is worth knowing about figures that are there: "1 won deal has no amount", once each."""
    return tuple(dict.fromkeys(r.reason for k, r in results.items() if r.value is not None and r.reason and k in _SAID))


_SAID = ("bookings", "open_pipeline", "weighted_pipeline", "objective_progress")
