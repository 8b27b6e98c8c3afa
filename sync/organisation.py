"""Teams, reporting lines, working groups and stays with the company, kept as dated rows.

The first time a fact is seen it holds from the day the person was hired, or from DAWN when that is unknown; a change
ends the old row today and begins a new one, so that last quarter's team totals stay as they were.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection, Table, select, update

from models import Employment, Person, ReportingLine, Team, TeamMembership, WorkingGroupMembership
from models.base import core, new_id
from sync.rules import Rules

DAWN = date(1970, 1, 1)


def keep(connection: Connection, source: str, drafts: pd.DataFrame, rules: Rules, today: date) -> set[str]:
    """Store what a people stream says of the organisation; answers the people whose rows changed.

    `drafts` carry person_id. Only a source that may create people is believed here: a CRM's idea of who manages
    whom does not overrule the HR list.
    """
    if rules.people != "create":
        return set()
    named = drafts[drafts["person_id"].notna()].sort_values("hired_on", na_position="first")
    if named.empty:
        return set()
    touched = _stays(connection, named) | _names(connection, source, named)
    latest = named.drop_duplicates("person_id", keep="last").set_index("person_id")
    hired = named.groupby("person_id")["hired_on"].min()

    def begins(person: str) -> date:
        first = hired.get(person)
        return DAWN if first is None or pd.isna(first) else first.date()

    managers = drafts.dropna(subset=["person_id"]).drop_duplicates("external_id").set_index("external_id")["person_id"]
    employees = drafts.dropna(subset=["person_id", "employee_id"]).set_index("employee_id")["person_id"]
    boss = latest["manager_external_id"].map(lambda m: managers.get(m) or _first(employees, m), na_action="ignore")
    boss = boss.where(boss != boss.index.to_series())  # nobody is their own manager
    teams = _teams(connection, latest)
    groups = latest["working_group"]
    if rules.working_group:
        groups = groups.fillna(rules.working_group)
    for table, column, values in (
        (ReportingLine, "manager_id", boss),
        (TeamMembership, "team_id", latest["team"].map(teams, na_action="ignore")),
        (WorkingGroupMembership, "working_group", groups),
    ):
        touched |= _dated(connection, core(table), column, values, begins, today)
    return touched


def _first(series: "pd.Series[Any]", key: str) -> str | None:
    found = series.get(key)
    return found if found is None or isinstance(found, str) else str(found.iloc[0])


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


def _teams(connection: Connection, latest: pd.DataFrame) -> dict[str, str]:
    table = core(Team)
    known = {row.name: row.id for row in connection.execute(select(table))}
    wanted = [n for n in pd.concat([latest["team_parent"], latest["team"]]).dropna().unique() if n not in known]
    for name in wanted:
        known[name] = new_id()
        connection.execute(table.insert().values(id=known[name], name=name))
    pairs = latest.dropna(subset=["team", "team_parent"]).drop_duplicates("team")
    for team, parent in zip(pairs["team"], pairs["team_parent"], strict=True):
        if team != parent:
            here = (table.c.id == known[team], table.c.parent_id.is_distinct_from(known[parent]))
            connection.execute(update(table).where(*here).values(parent_id=known[parent]))
    return known


def _dated(
    connection: Connection,
    table: Table,
    column: str,
    values: "pd.Series[Any]",
    begins: Callable[[str], date],
    today: date,
) -> set[str]:
    """Write one dated fact of many people: a first row, or the end of the old one and the beginning of a new one."""
    people = list(values.index)
    rows = connection.execute(select(table).where(table.c.person_id.in_(people), table.c.to_day.is_(None)))
    current = {row.person_id: row for row in rows}
    touched: set[str] = set()
    for person, value in values.items():
        value = None if pd.isna(value) else str(value)
        before = current.get(str(person))
        if before is not None and getattr(before, column) == value:
            continue
        if before is None and value is None:
            continue
        touched.add(str(person))
        if before is not None:
            here = (table.c.person_id == person, table.c.from_day == before.from_day)
            if before.from_day >= today:  # it began today: corrected, not ended
                connection.execute(table.delete().where(*here))
            else:
                connection.execute(update(table).where(*here).values(to_day=today))
        if value is not None:
            start = begins(str(person)) if before is None else today
            connection.execute(table.insert().values(person_id=person, from_day=start, **{column: value}))
    return touched
