"""Teams, reporting lines, working groups and stays with the company, kept as dated rows.

The first time a fact is seen it holds from the day the person was hired, or from DAWN when that is unknown; a change
ends the old row today and begins a new one, so that last quarter's team totals stay as they were. On every day the
reporting lines are trees, and so are the teams: a line that closes a circle is cut and told of, nothing else waits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection, Table, select, update

from connectors.base import Note, RejectDraft
from models import Employment, Identity, Person, Reject, ReportingLine, Team, TeamMembership, WorkingGroupMembership
from models.base import core, new_id
from sync.apply import CHUNK
from sync.hierarchy import cuts, free_from
from sync.rules import Rules

DAWN = date(1970, 1, 1)


LINES, TEAMS = "reporting_lines", "teams"
"""What the rejects of cut lines stand under."""


@dataclass
class Kept:
    """What became of a batch: the people whose rows changed, lines that were cut, and those that are well by name."""

    touched: set[str] = field(default_factory=set)
    cut: dict[str, list[RejectDraft]] = field(default_factory=dict)
    well: dict[str, list[str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def keep(connection: Connection, source: str, drafts: pd.DataFrame, rules: Rules, today: date) -> Kept:
    """Store what a people stream says of the organisation.

    `drafts` carry person_id. Only a source that may create people is believed here: a CRM's idea of who manages
    whom does not overrule the HR list.
    """
    kept = Kept()
    if rules.people != "create":
        return kept
    named = drafts[drafts["person_id"].notna()].sort_values("hired_on", na_position="first")
    kept.touched |= _stays(connection, named) | _names(connection, source, named)
    latest = named.drop_duplicates("person_id", keep="last").set_index("person_id")
    hired = named.groupby("person_id")["hired_on"].min()

    def begins(person: str) -> date:
        first = hired.get(person)
        return DAWN if first is None or pd.isna(first) else first.date()

    teams = _teams(connection, source, latest, kept)
    groups = latest["working_group"]
    if rules.working_group:
        groups = groups.fillna(rules.working_group)
    for table, column, values in (
        (TeamMembership, "team_id", latest["team"].map(teams, na_action="ignore")),
        (WorkingGroupMembership, "working_group", groups),
    ):
        kept.touched |= _dated(connection, core(table), column, values, begins, today)
    _reporting_lines(connection, source, named, begins, today, kept)
    return kept


def _reporting_lines(
    connection: Connection,
    source: str,
    named: pd.DataFrame,
    begins: Callable[[str], date],
    today: date,
    kept: Kept,
) -> None:
    """Who reports to whom. A line that was cut before is tried again, whether its row came anew or not."""
    users = core(Identity).c
    known = connection.execute(
        select(users.external_id, users.employee_id, users.person_id, users.manager_external_id, users.active).where(
            users.connection == source
        )
    ).all()
    by_user = {r.external_id: r.person_id for r in known if r.person_id}
    by_user |= dict(zip(named["external_id"], named["person_id"], strict=True))
    by_employee = {r.employee_id: r.person_id for r in known if r.employee_id and r.person_id}
    by_employee |= {e: str(p) for e, p in zip(named["employee_id"], named["person_id"], strict=True) if pd.notna(e)}
    said = {str(p): m for p, m in zip(named["person_id"], named["manager_external_id"], strict=True)}  # the last stay's
    names = {str(p): str(i) for p, i in zip(named["person_id"], named["external_id"], strict=True)}
    rejects = core(Reject).c
    before = select(rejects.external_id).where(rejects.connection == source, rejects.stream == LINES)
    cut_before = set(connection.scalars(before))
    for row in known:
        if row.external_id in cut_before and row.active and row.person_id and row.person_id not in said:
            said[row.person_id], names[row.person_id] = row.manager_external_id, row.external_id
    wanted = {p: None if pd.isna(m) else by_user.get(m) or by_employee.get(m) for p, m in said.items()}
    own = [p for p, boss in wanted.items() if boss == p]
    wanted |= dict.fromkeys(own)
    lost = [p for p, m in said.items() if pd.notna(m) and wanted[p] is None and p not in own]
    for people, what in (
        (own, "reports to themselves: taken as reporting to nobody"),
        (lost, "manager is not in the list: taken as reporting to nobody"),
    ):
        kept.notes += [Note(what, len(people), min(names[p] for p in people))] if people else []
    lines = core(ReportingLine)
    standing = {r.person_id: r.manager_id for r in connection.execute(select(lines).where(lines.c.to_day.is_(None)))}
    fresh = {p for p, boss in wanted.items() if boss is not None and standing.get(p) != boss}
    above = {p: boss for p, boss in {**standing, **wanted}.items() if boss is not None}
    cut = cuts(above, fresh, partial(_called, connection))
    rejects_now = [
        _cut(LINES, names.get(p, p), [_called(connection, member)[-1] for member in circle], said.get(p))
        for p, circle in cut.items()
    ]
    wanted |= dict.fromkeys(cut)
    if cut:
        kept.notes.append(Note("reporting line cut: it closes a circle", len(cut), rejects_now[0].external_id))
    gone = cut_before - {r.external_id for r in known if r.active}
    kept.cut[LINES] = rejects_now
    kept.well[LINES] = sorted(({*names.values()} | gone) - {reject.external_id for reject in rejects_now})
    dated: list[Any] = []

    def free(person: str) -> date:
        """The first day of a first line: from the hire date on, unless lines that held then would close a circle."""
        if not dated:
            dated.extend(connection.execute(select(lines)))
        start, boss = begins(person), wanted[person]
        if start < today and boss is not None:
            start = free_from(person, boss, start, today, dated)
        dated.append(SimpleNamespace(person_id=person, manager_id=boss, from_day=start, to_day=None))
        return start

    ends = any(standing.get(p) not in (None, boss) for p, boss in wanted.items())
    ended = connection.execute(select(lines.c.person_id).where(lines.c.to_day.is_not(None)).limit(1)).first()
    starts = free if ends or ended else begins  # only lines that have ended can be in the way of one that began earlier
    kept.touched |= _dated(connection, lines, "manager_id", pd.Series(wanted, dtype="object"), starts, today)


def _called(connection: Connection, person: str) -> tuple[str, str, str]:
    """What the outside world knows a person by, with the name last: the same in every store."""
    row = connection.execute(select(core(Person)).where(core(Person).c.id == person)).one()
    return row.employee_id or "", row.email or "", row.name


def _cut(what: str, name: str, circle: Iterable[str], said: Any) -> RejectDraft:
    """What to say of a cut line; the circle begins with whose line it is."""
    first, *others = circle
    way = " → ".join([first, *others, first])
    if what == LINES:
        words = f"{first} would report to {others[0]}, which closes a circle ({way}); {first} stands without a manager"
        fix = f"correct the manager of {first}, or of whoever of the circle has a wrong one; the next sync tries again"
        return RejectDraft(name, "reporting line closes a circle", "manager_external_id", str(said or ""), words, fix)
    words = f"team {first} would be part of {others[0]}, which closes a circle ({way}); {first} stands under no team"
    fix = f"correct the team above {first}, or above another one of the circle; the next sync tries again"
    return RejectDraft(name, "team closes a circle", "team_parent", others[0], words, fix)


def _names(connection: Connection, source: str, named: pd.DataFrame) -> set[str]:
    """A person's name, e-mail and title follow the source that first told us about them."""
    mine = connection.execute(select(core(Person)).where(core(Person).c.source == source)).all()
    shown = named[["person_id", "name", "email", "title"]].drop_duplicates("person_id", keep="last")
    latest = cast(dict[str, dict[str, Any]], shown.set_index("person_id").to_dict("index"))
    touched: set[str] = set()
    for row in mine:
        if row.id not in latest:
            continue
        draft = latest[row.id]
        fresh = {
            f: str(draft[f]) for f in ("name", "email", "title") if pd.notna(draft[f]) and draft[f] != getattr(row, f)
        }
        if fresh:
            connection.execute(update(core(Person)).where(core(Person).c.id == row.id).values(**fresh))
            touched.add(row.id)
    return touched


def _stays(connection: Connection, named: pd.DataFrame) -> set[str]:
    stays = named.dropna(subset=["hired_on"]).drop_duplicates(["person_id", "hired_on"], keep="last")
    table = core(Employment)
    stored = {(r.person_id, r.hired_on): r.left_on for r in connection.execute(select(table))}
    touched: set[str] = set()
    for person, hired, left in zip(stays["person_id"], stays["hired_on"], stays["left_on"], strict=True):
        key, until = (person, hired.date()), None if pd.isna(left) else left.date()
        if key not in stored:
            connection.execute(table.insert().values(person_id=person, hired_on=key[1], left_on=until))
            touched.add(person)
        elif stored[key] != until:
            here = (table.c.person_id == person, table.c.hired_on == key[1])
            connection.execute(update(table).where(*here).values(left_on=until))
            touched.add(person)
    return touched


def _teams(connection: Connection, source: str, latest: pd.DataFrame, kept: Kept) -> dict[str, str]:
    """Every team's id by its name; new ones are made, and put under the teams that the source says."""
    table = core(Team)
    rows = connection.execute(select(table)).all()
    known, names = {r.name: r.id for r in rows}, {r.id: r.name for r in rows}
    wanted = [n for n in pd.concat([latest["team_parent"], latest["team"]]).dropna().unique() if n not in known]
    for name in wanted:
        known[name] = new_id()
        connection.execute(table.insert().values(id=known[name], name=name))
    pairs = latest.dropna(subset=["team", "team_parent"]).drop_duplicates("team")
    said = {t: p for t, p in zip(pairs["team"], pairs["team_parent"], strict=True) if t != p}
    standing = {r.name: names[r.parent_id] for r in rows if r.parent_id}
    fresh = {t for t, p in said.items() if standing.get(t) != p}
    cut = cuts({**standing, **said}, fresh, lambda name: name)
    for team, parent in {**said, **dict.fromkeys(cut)}.items():
        above = None if parent is None else known[parent]
        here = (table.c.id == known[team], table.c.parent_id.is_distinct_from(above))
        connection.execute(update(table).where(*here).values(parent_id=above))
    kept.cut[TEAMS] = [_cut(TEAMS, team, circle, None) for team, circle in cut.items()]
    kept.well[TEAMS] = sorted({*said} - {*cut})
    return known


def _dated(
    connection: Connection,
    table: Table,
    column: str,
    values: "pd.Series[Any]",
    begins: Callable[[str], date],
    today: date,
) -> set[str]:
    """Write one dated fact of many people: a first row, or the end of the old one and the beginning of a new one.

    Old rows end before new ones begin, so that `begins`, asked for the day of a first row, finds them ended.
    """
    people = list(values.index)
    query = select(table).order_by(table.c.from_day)
    rows = connection.execute(query.where(table.c.person_id.in_(people)) if len(people) <= CHUNK else query)
    newest = {row.person_id: row for row in rows}  # somebody whose newest row has ended has none now
    fresh: dict[str, tuple[str, date | None]] = {}
    touched: set[str] = set()
    for person, value in values.items():
        value = None if pd.isna(value) else str(value)
        before = newest.get(str(person))
        held = before if before is not None and before.to_day is None else None
        if (held is None and value is None) or (held is not None and getattr(held, column) == value):
            continue
        touched.add(str(person))
        if held is not None:
            here = (table.c.person_id == person, table.c.from_day == held.from_day)
            if held.from_day >= today:  # it began today: corrected, not ended
                connection.execute(table.delete().where(*here))
            else:
                connection.execute(update(table).where(*here).values(to_day=today))
        if value is not None:
            fresh[str(person)] = (value, max(today, before.from_day) if before is not None else None)
    for person, (value, start) in fresh.items():
        row = {"person_id": person, "from_day": start or begins(person), column: value}
        connection.execute(table.insert().values(row))
    return touched
