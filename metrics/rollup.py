"""Figures of teams, offices and the company: sums over sums of the same people, by the line of each day.

Somebody who changed teams within the period counts for each team with the days and deals of their time in it. A mean
of people's percentages is never taken. Source: metrics reference §0.2, promise P12; small groups: §4.2, promise P8.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from metrics.facts import Facts
from metrics.registry import METRICS, Metric, compute
from metrics.result import Result, State
from models.profile import Profile

APART = "|"
NOWHERE = ""
"""The unit of somebody who stood in none on a day: their money is shown on its own line, never dropped."""

SMALLEST = 5
"""Fewest people behind a figure about development; under that, it could say something of one of them."""

HOW = {"ratio": "; sums over people ÷ sums over the same people", "sum": "; added up over people"}
STINTS = ("person_id", "unit", "from_day", "to_day")


def everywhere(people: Iterable[str], name: str = "company") -> pd.DataFrame:
    """Stints of a unit that everybody is always in."""
    ids = list(people)
    always = pd.Timestamp("1900-01-01")
    frame = {"person_id": ids, "unit": [name] * len(ids), "from_day": always, "to_day": pd.NaT}
    return pd.DataFrame(frame).astype({"from_day": "datetime64[s]", "to_day": "datetime64[s]"})


def teams(facts: Facts, top: bool = False) -> pd.DataFrame:
    """Stints by team; with `top`, by the office or department that a team stands under."""
    rows = facts.frame("memberships").rename(columns={"team_id": "unit"})[list(STINTS)]
    if not top:
        return rows
    above = dict(zip(facts.frame("teams")["id"], facts.frame("teams")["parent_id"], strict=True))
    return rows.assign(unit=[_root(unit, above) for unit in rows["unit"]])


def _root(team: str, above: Mapping[str, Any]) -> str:
    seen = {team}
    while not pd.isna(above.get(team)) and above[team] not in seen:  # a circle ends where it began
        team = str(above[team])
        seen.add(team)
    return team


def managers(facts: Facts) -> pd.DataFrame:
    """Stints by the manager somebody reports to."""
    return facts.frame("lines").rename(columns={"manager_id": "unit"})[list(STINTS)]


def unit_on(stints: pd.DataFrame, people: pd.Series, days: pd.Series) -> pd.Series:
    """The unit of each person on each day; NOWHERE where they stood in none."""
    asked = pd.DataFrame({"person_id": people.astype("str"), "day": days.astype("datetime64[s]")})
    asked["row"] = range(len(asked))
    known = asked[asked["day"].notna() & asked["person_id"].notna()].sort_values("day", kind="stable")
    dated = stints.assign(
        from_day=stints["from_day"].astype("datetime64[s]"), person_id=stints["person_id"].astype("str")
    )
    found = pd.merge_asof(
        known, dated.sort_values("from_day", kind="stable"), left_on="day", right_on="from_day", by="person_id"
    )
    over = found["to_day"].notna() & (found["to_day"] <= found["day"])
    units = found["unit"].where(~over).fillna(NOWHERE).astype("str")
    answer = pd.Series(NOWHERE, index=range(len(asked)), dtype="str")
    answer[found["row"].to_numpy()] = units.to_numpy()
    return pd.Series(answer.to_numpy(), index=people.index, dtype="str")


def divided(facts: Facts, stints: pd.DataFrame) -> Facts:
    """The same facts with everybody divided into their stints: the person "ana|north" is Ana while she was in North.

    A decided deal counts where its person stood on the close date, an open one where they stand on the as-of day, a
    quota by its days. What is about development counts where the person stands on the as-of day.
    """
    credits = facts.credits
    mine = credits["person_id"].notna()
    day = credits["close_day"].where(credits["status"].isin(["won", "lost"]), facts.today)
    unit = unit_on(stints, credits.loc[mine, "person_id"], day[mine])
    keyed = credits.assign(person_id=credits["person_id"].astype("object"))
    keyed.loc[mine, "person_id"] = credits.loc[mine, "person_id"] + APART + unit
    keyed["person_id"] = keyed["person_id"].astype("str")
    quotas = _clipped(facts.frame("quotas"), stints)
    today = {str(p): f"{p}{APART}{u}" for p, u in zip(facts.people, _today(facts, stints), strict=True)}
    frames = {name: _moved(frame, today) for name, frame in facts.frames.items() if name not in ("deals", "quotas")}
    keys = {*keyed["person_id"].dropna(), *quotas["person_id"].dropna(), *today.values()}
    known = set(facts.people)
    wanted = sorted(k for k in keys if k.rsplit(APART, 1)[0] in known)
    out = replace(facts, frames={**frames, "quotas": quotas}, people=pd.Index(wanted, dtype="str"))
    sellers = frozenset(k for k in wanted if k.rsplit(APART, 1)[0] in facts.sellers)
    out.__dict__.update(credits=keyed, moves=facts.moves, sellers=sellers)
    return out


def _today(facts: Facts, stints: pd.DataFrame) -> pd.Series:
    people = pd.Series(facts.people, dtype="str")
    return unit_on(stints, people, pd.Series(facts.today, index=people.index))


def _moved(frame: pd.DataFrame, keys: Mapping[str, str]) -> pd.DataFrame:
    if "person_id" not in frame:
        return frame
    return frame.assign(person_id=frame["person_id"].map(keys).astype("str"))


def _clipped(quotas: pd.DataFrame, stints: pd.DataFrame) -> pd.DataFrame:
    """Quota rows cut at the edges of stints; the pieces of a row add up to it to the cent."""
    parts: list[dict[str, Any]] = []
    own = {str(p): part.sort_values("from_day") for p, part in stints.groupby("person_id")}
    mine = cast(list[dict[str, Any]], quotas[quotas["person_id"].notna()].to_dict("records"))
    for row in mine:
        first, end = row["first_day"], row["end_day"]
        dated = own.get(row["person_id"])
        edges = {first, end}
        if dated is not None:
            edges |= {d for c in ("from_day", "to_day") for d in dated[c].dropna() if first < d < end}
        cuts, done, whole = sorted(edges), 0, row["reporting_minor"]
        people = pd.Series([row["person_id"]] * (len(cuts) - 1), dtype="str")
        units = unit_on(stints, people, pd.Series(cuts[:-1], dtype="datetime64[s]"))
        for begin, stop, unit in zip(cuts[:-1], cuts[1:], units, strict=True):
            upto = None if pd.isna(whole) else int(whole) * (stop - first).days // (end - first).days
            part = {"person_id": f"{row['person_id']}{APART}{unit}", "first_day": begin, "end_day": stop}
            parts.append({**row, **part, "reporting_minor": None if upto is None else upto - done})
            done = upto or 0
    return pd.DataFrame(parts, columns=quotas.columns).astype(quotas.dtypes.to_dict())


def rollup(
    facts: Facts, profile: Profile, stints: pd.DataFrame, keys: Sequence[str] | None = None
) -> dict[str, dict[str, Result]]:
    """Each unit's figures by metric, worked out from its people's parts; units are the ids that `stints` names."""
    parts = divided(facts, stints)
    names = list(keys or METRICS)
    tables = compute(names, parts, profile)
    unit = pd.Series([k.rsplit(APART, 1)[1] for k in parts.people], index=parts.people)
    found: dict[str, dict[str, Result]] = {u: {} for u in sorted(unit.unique())}
    for key in names:
        about, table = METRICS[key], tables[key]
        for name in found:
            found[name][key] = _together(about, table[(unit == name).to_numpy()], parts)
        if about.personal:
            _hide_remainder(found, key)
    return found


def _together(about: Metric, rows: pd.DataFrame, facts: Facts) -> Result:
    """One metric of one unit."""
    state, value, reason, numerator, denominator = State.NO_DATA, None, "", None, None
    people = len({k.rsplit(APART, 1)[0] for k in rows.index})
    if about.personal and people < SMALLEST:
        state, reason = State.SUPPRESSED, f"Shown from {SMALLEST} people up, so that it says nothing of one of them."
    elif about.rolls_up == "no":
        reason = "This figure of several people cannot be made of theirs."
    else:
        counted = rows[rows["numerator"].notna()] if about.rolls_up == "ratio" else rows[rows["value"].notna()]
        if about.rolls_up == "ratio":
            counted = counted[counted["denominator"].notna()]
        out = rows[~rows.index.isin(counted.index)]
        reason = _left_out(out)
        if about.rolls_up == "sum":
            # Without a CRM there is nothing to add; records whose worth is not known make the sum unknown.
            if len(counted) and not (out["n"].fillna(0).astype("int64") > 0).any():
                state, value = State.OK, sum(counted["value"])
                numerator = value
        elif len(counted):
            numerator, denominator = sum(counted["numerator"]), sum(counted["denominator"])
            if about.key == "coverage" and denominator <= 0:
                state, reason = State.QUOTA_MET, "The quota is met, so there is nothing left to cover."
            elif denominator == 0 and State.ZERO_QUOTA in about.states:
                state, reason = State.ZERO_QUOTA, "The quotas add up to 0, so a share of them cannot be worked out."
            elif denominator == 0:
                reason = reason or "There is nothing yet to take a share of."
            else:
                state, value = State.OK, numerator / denominator
        if state is State.NO_DATA and not len(counted) and set(rows["state"]) == {State.NO_QUOTA}:
            state = State.NO_QUOTA
        if value is None and not reason:
            reason = "Nothing is known of these people for this figure."
    return Result(
        metric=about.key,
        label=about.label,
        unit=about.unit,
        state=state,
        value=value,
        reason=reason,
        numerator=numerator,
        denominator=denominator,
        n=people,
        as_of=facts.as_of,
        formula=f"{about.definition}{HOW.get(about.rolls_up, '')}",
        version=about.version,
        sources=about.sources,
    )


def _left_out(rows: pd.DataFrame) -> str:
    """Who is in no sum, and why: "2 people are left out. There is no quota ..."."""
    if rows.empty:
        return ""
    n = len({k.rsplit(APART, 1)[0] for k in rows.index})
    reasons = [r for r in rows["reason"] if r]
    why = max(sorted(set(reasons)), key=reasons.count) if reasons else ""
    return f"{n} {'person is' if n == 1 else 'people are'} left out. {why}".strip()


def _hide_remainder(units: Mapping[str, dict[str, Result]], key: str) -> None:
    """Hide the smallest shown unit too where the hidden ones together are too few: else they are what is left over."""
    hidden = [r[key] for r in units.values() if r[key].state is State.SUPPRESSED]
    shown = sorted((r[key].n or 0, name) for name, r in units.items() if r[key].state is not State.SUPPRESSED)
    if hidden and sum(r.n or 0 for r in hidden) < SMALLEST and shown:
        name = shown[0][1]
        words = "Hidden as well, because with the company's total the smaller groups could be worked out from it."
        units[name][key] = replace(
            units[name][key], state=State.SUPPRESSED, value=None, numerator=None, denominator=None, reason=words
        )
