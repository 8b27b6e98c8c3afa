"""The lists on a scorecard: deals, objectives, feedback, check-ins, obstacles, relationships, learning."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from metrics.development import objective_progress_of, progress
from metrics.facts import Facts
from metrics.feedback import over, released
from metrics.result import Result, State, Unit
from metrics.scorecard import DealLine, FeedbackBlock, ObjectiveLine
from models.frames import rows

ORDER = {"won": 0, "open": 1, "lost": 2}


def _day(value: Any) -> date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def deal_lines(facts: Facts, names: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[DealLine, ...]]:
    """Each person's credited deals closing in the period: won ones sum to what is won, open ones to the pipeline."""
    credits = facts.credits
    inside = (credits["close_day"] >= facts.start) & (credits["close_day"] < facts.end)
    credits = credits[inside & credits["person_id"].isin(facts.people)]
    order = ["rank", "close_day", "connection", "external_id"]
    credits = credits.assign(rank=credits["status"].map(ORDER)).sort_values(order)
    found: dict[str, list[DealLine]] = {}
    for row in rows(credits):
        link = names.get(row.connection, {}).get("deal_link") or ""
        found.setdefault(row.person_id, []).append(
            DealLine(
                connection=row.connection,
                external_id=row.external_id,
                name=_text(row.name),
                account=_text(row.account) or None,
                status=row.status,
                stage=_text(row.stage),
                forecast_category=_text(row.forecast_category) or None,
                amount_minor=_whole(row.native_minor),
                currency=_text(row.currency) or None,
                credit_minor=_whole(row.credit_minor),
                share_ppm=int(row.share_ppm),
                close_day=_day(row.close_day),
                link=link.replace("{id}", row.external_id),
                flags=tuple(_flags(row, facts)),
            )
        )
    return {person: tuple(lines) for person, lines in found.items()}


def _flags(row: Any, facts: Facts) -> list[str]:
    flags = []
    if pd.isna(row.amount_minor):
        flags.append("no amount")
    elif pd.isna(row.credit_minor):
        flags.append("no exchange rate")
    if row.status == "open" and row.close_day < facts.until - pd.Timedelta(days=1):
        flags.append("close date passed")
    if row.status == "won" and row.close_day >= facts.until:
        flags.append("won with a future close date, counted from that day on")
    if row.status == "open" and row.forecast_category == "omitted":
        flags.append("omitted from the forecast")
    return flags


def objective_lines(facts: Facts) -> dict[str, tuple[ObjectiveLine, ...]]:
    """Each person's objectives that are not cancelled: active ones first, the one due first on top."""
    objectives, key_results = facts.frame("objectives"), facts.frame("key_results")
    objectives = objectives[objectives["person_id"].isin(facts.people) & (objectives["status"] != "cancelled")]
    each = objective_progress_of(objectives, key_results)
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows(key_results.sort_values(["position", "id"])):
        parts.setdefault(row.objective_id, []).append(
            {
                "title": row.title,
                "baseline": _text(row.baseline),
                "target": _text(row.target),
                "current": _text(row.current),
                "progress": progress(row.baseline, row.target, row.current),
                "step": not pd.isna(row.step) and bool(row.step),
            }
        )
    evidence, learning = _evidence(facts), _learning_for(facts)
    found: dict[str, list[ObjectiveLine]] = {}
    ordered = objectives.assign(done=objectives["status"] == "done").sort_values(["done", "due_on", "id"])
    for row in rows(ordered):
        value, measured, every = each[row.id]
        words = "" if value is not None else "Nothing has been measured yet."
        seen = evidence.get(row.id, [])
        found.setdefault(row.person_id, []).append(
            ObjectiveLine(
                id=row.id,
                title=row.title,
                kind="relationship" if _text(row.who) else row.kind,
                why_it_matters=_text(row.why_it_matters),
                serves=_text(row.serves),
                status=row.status,
                due_on=_day(row.due_on),
                shared=bool(row.shared) if not pd.isna(row.shared) else False,
                progress=Result(
                    "objective_progress", "Progress", Unit.RATIO, State.NO_DATA if value is None else State.OK, value,
                    words, measured, every, every, facts.as_of, "mean of measured key results", "2", ("key_result",),
                ),
                key_results=tuple(parts.get(row.id, [])),
                who=_text(row.who),
                next_contact=_day(row.next_contact),
                evidence=len(seen),
                last_evidence=_day(max(seen)) if seen else None,
                learning=tuple(learning.get(row.id, [])),
            )
        )  # fmt: skip
    return {person: tuple(lines) for person, lines in found.items()}


def _evidence(facts: Facts) -> dict[str, list[Any]]:
    """The days of each objective's evidence, up to the as-of day."""
    told = facts.frame("updates")
    told = told[(told["field"] == "evidence") & (told["day"] < facts.until)]
    return {str(i): list(days) for i, days in told.groupby("objective_id")["day"]}


def _learning_for(facts: Facts) -> dict[str, list[Mapping[str, Any]]]:
    """What each objective's owner learns for it; it is seen where the objective is, and nowhere else."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    items = facts.frame("learning")
    for row in rows(items[items["objective_id"].notna()].sort_values(["due_on", "title"])):
        line = {
            "title": row.title,
            "link": _text(row.link),
            "due_on": _day(row.due_on),
            "done_on": _day(row.done_on),
            "status": row.status,
        }
        found.setdefault(row.objective_id, []).append(line)
    return found


def feedback_blocks(facts: Facts, thresholds: Mapping[str, int]) -> dict[str, FeedbackBlock]:
    """What others said to each person, under the release rule: words from so many givers up, in no order of writing."""
    frame, requests = facts.frame("feedback"), facts.frame("feedback_requests")
    count = over(facts, frame).groupby("person_id").size()
    open_to = {n: released(facts, frame, n) for n in set(thresholds.values())}
    asked = {str(p): part for p, part in requests.groupby("person_id")}
    words = {n: {str(p): own for p, own in part.groupby("person_id")} for n, part in open_to.items()}
    blocks: dict[str, FeedbackBlock] = {}
    for person in facts.people:
        threshold = thresholds[person]
        received, mine = int(count.get(person, 0)), words[threshold].get(person)
        items: list[Mapping[str, str]] = []
        if mine is not None:
            keys = ("what_happened", "effect", "suggestion", "signed_by", "batch")
            shuffled = sorted(mine.to_dict("records"), key=lambda r: hashlib.sha256(str(r["id"]).encode()).hexdigest())
            items = [{k: _text(r[k]) for k in keys} for r in shuffled]
        waiting = [
            {"about": _text(r.about), "asked_on": r.asked_on, "asked_of": int(r.asked_of), "answered": int(r.answered)}
            for r in (rows(asked[person].sort_values("asked_on")) if person in asked else ())
        ]
        sentence = _feedback_words(received, threshold, bool(items))
        blocks[person] = FeedbackBlock(received, bool(items), sentence, tuple(items), tuple(waiting))
    return blocks


def _feedback_words(received: int, threshold: int, shown: bool) -> str:
    if shown:
        return (
            f"{received} people have told you something. What they wrote is below, without names unless they chose so."
        )
    if received == 0:
        return "Nobody has told you anything yet. You can ask somebody you trust."
    return (
        f"{received} of {threshold} answers are in. Their text appears when there are {threshold}, "
        "so that nobody can be picked out."
    )


def check_in_lines(facts: Facts, names: Mapping[str, str]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Each person's check-ins of the last year and those to come, newest first."""
    talks = facts.frame("check_ins")
    when = talks["held_on"].fillna(talks["planned_on"])
    talks = talks.assign(when=when)[when >= facts.until - pd.Timedelta(days=365)]
    talks = talks[talks["person_id"].isin(facts.people)].sort_values(["when", "id"], ascending=False)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows(talks):
        found.setdefault(row.person_id, []).append(
            {
                "status": row.status,
                "planned_on": _day(row.planned_on),
                "held_on": _day(row.held_on),
                "asked_by": row.asked_by,
                "with_name": names.get(row.with_person_id, "") or _text(row.with_name),
                "topic": _text(row.topic),
            }
        )
    return {person: tuple(lines) for person, lines in found.items()}


def growth_lines(facts: Facts) -> dict[str, dict[str, tuple[Mapping[str, Any], ...]]]:
    """Each person's obstacles (open ones first), relationships to develop, and learning."""
    obstacles = facts.frame("obstacles").sort_values(["resolved_on", "opened_on"], na_position="first")
    today = facts.until - pd.Timedelta(days=1)
    lists: dict[str, dict[str, list[Mapping[str, Any]]]] = {"obstacles": {}, "relationships": {}, "learning": {}}
    for row in rows(obstacles):
        until = row.resolved_on if not pd.isna(row.resolved_on) else today
        line = {
            "id": row.id,
            "kind": _text(row.kind),
            "what": _text(row.what),
            "effect": _text(row.effect),
            "who_can_remove": _text(row.who_can_remove),
            "opened_on": _day(row.opened_on),
            "resolved_on": _day(row.resolved_on),
            "resolved_by": _text(row.resolved_by),
            "days_open": max((until - row.opened_on).days, 0),
            "shared": pd.isna(row.shared) or bool(row.shared),
        }
        lists["obstacles"].setdefault(row.person_id, []).append(line)
    for row in rows(facts.frame("relationships").sort_values(["next_contact", "who"])):
        line = {"who": row.who, "why": _text(row.why), "next_contact": _day(row.next_contact)}
        lists["relationships"].setdefault(row.person_id, []).append(line)
    items = facts.frame("learning")
    for row in rows(items[items["objective_id"].isna()].sort_values(["due_on", "title"])):
        line = {"title": row.title, "due_on": _day(row.due_on), "done_on": _day(row.done_on), "status": row.status}
        lists["learning"].setdefault(row.person_id, []).append(line)
    return {name: {person: tuple(own) for person, own in found.items()} for name, found in lists.items()}
