"""Turns a source's own words for people and objectives into ours; a word nobody knows makes a reject, not a loss."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from connectors.base import RejectDraft
from models import Objective
from models.base import core
from models.frames import rows as each
from sync.identity import Roster, aliases

OF_A_PERSON = (
    *("objectives", "check_ins", "feedback", "feedback_requests", "obstacles", "relationships", "learning", "leavers"),
    "absences",
)


def link(
    connection: Connection, source: str, stream: str, drafts: pd.DataFrame
) -> tuple[pd.DataFrame, list[RejectDraft]]:
    """Add person_id (and with_person_id, objective_id) to a batch; rows about nobody we know come back as rejects."""
    if stream == "key_results":
        return _objectives(connection, source, drafts)
    if stream not in OF_A_PERSON:
        return drafts, []
    roster, known = Roster(connection), aliases(connection, source)

    def find(word: Any) -> str | None:
        return None if pd.isna(word) else roster.find(str(word), known)

    drafts = drafts.assign(person_id=_column(drafts, [find(word) for word in drafts["person"]]))
    if "with_person" in drafts:
        drafts = drafts.assign(with_person_id=_column(drafts, [find(word) for word in drafts["with_person"]]))
    if "signed_by" in drafts:
        signed = [
            roster.names.get(find(word) or "", None if pd.isna(word) else str(word)) for word in drafts["signed_by"]
        ]
        drafts = drafts.assign(signed_by=_column(drafts, signed))
    lost = drafts["person_id"].isna()
    rejects = [
        RejectDraft(
            external_id=str(row.external_id),
            rule="person is not known",
            field="person",
            raw_value=_word(row.person),
            message=f"{stream} {row.external_id}: nobody here has the employee id, e-mail or name {_quote(row.person)}",
            fix="add the person to the people list, or correct the cell",
        )
        for row in each(drafts[lost])
    ]
    return drafts[~lost], rejects


def _objectives(connection: Connection, source: str, drafts: pd.DataFrame) -> tuple[pd.DataFrame, list[RejectDraft]]:
    table = core(Objective).c
    query = select(table.external_id, table.id).where(table.connection == source, table.removed_at.is_(None))
    known = {row.external_id: row.id for row in connection.execute(query)}
    drafts = drafts.assign(objective_id=_column(drafts, [known.get(word) for word in drafts["objective"]]))
    lost = drafts["objective_id"].isna()
    rejects = [
        RejectDraft(
            external_id=str(row.external_id),
            rule="objective is not known",
            field="objective",
            raw_value=_word(row.objective),
            message=f"key result {row.external_id}: its objective {_quote(row.objective)} was not taken over",
            fix="see the reject of the objective itself",
        )
        for row in each(drafts[lost])
    ]
    return drafts[~lost], rejects


def _column(drafts: pd.DataFrame, values: list[str | None]) -> "pd.Series[Any]":
    return pd.Series(values, index=drafts.index, dtype="str")


def _word(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _quote(value: Any) -> str:
    return repr(_word(value)) if _word(value) else "(empty)"
