"""Spreadsheet rows in our own words. Pure: columns, dates and amounts as the mapping says they are written."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from connectors.amounts import basis_points
from connectors.base import DRAFTS, Batch, Drafts, Note, RejectDraft, SourceTotalDraft, draft_frame
from connectors.spreadsheet.mapping import DATES
from models.money import to_minor

YES, NO = {"yes", "true", "1", "y", "ja", "oui", "x"}, {"no", "false", "0", "n", "nein", "non"}
USUAL = {
    "objectives": {"kind": "personal", "status": "active"}, "check_ins": {"asked_by": "rep", "status": "planned"},
    "learning": {"status": "open"}, "leavers": {"reason": "other"},
}  # fmt: skip
WORDS = {
    ("objectives", "kind"): {"personal", "organisational"}, ("objectives", "status"): {"active", "done", "cancelled"},
    ("check_ins", "asked_by"): {"rep", "manager"}, ("check_ins", "status"): {"planned", "held", "cancelled"},
    ("learning", "status"): {"open", "done", "waived"}, ("leavers", "reason"): {"voluntary", "involuntary", "other"},
}  # fmt: skip
KEYS = {
    "people": ("name",), "quotas": ("owner_external_id", "first_day"), "rates": ("base", "currency", "first_day"),
    "key_results": ("objective", "title"), "relationships": ("person", "who"), "learning": ("person", "title"),
    "leavers": ("person", "left_on"), "absences": ("person", "first_day"), "feedback": ("person", "what_happened"),
}  # fmt: skip
"""What a row is known by where the file has no id of its own."""


@dataclass
class Reading:
    """One batch being read: the first thing wrong with each row, and what its columns came to."""

    stream: str
    raw: pd.DataFrame
    facts: Mapping[str, Any]
    wrong: dict[Any, tuple[str, str, str, str]] = field(default_factory=dict)  # index: rule, column, raw value, fix

    def column(self, name: str) -> str | None:
        """Their column for one of our fields."""
        found = self.facts["columns"].get(name)
        return str(found[0] if isinstance(found, list) else found) if found else None

    def text(self, name: str) -> "pd.Series[Any]":
        """A field as typed; several columns are joined."""
        wanted = self.facts["columns"].get(name)
        if wanted is None:
            return pd.Series([None] * len(self.raw), index=self.raw.index, dtype="object")
        if isinstance(wanted, str):
            return self.raw[wanted].astype("object").where(self.raw[wanted].notna(), None)
        parts = [self.raw[c] for c in wanted]
        return pd.Series(
            [" · ".join(p for p in row if isinstance(p, str)) or None for row in zip(*parts, strict=True)],
            self.raw.index,
        )

    def blame(self, index: Any, rule: str, name: str, value: Any, fix: str) -> None:
        """Remember what is wrong with a row; the first thing is enough."""
        self.wrong.setdefault(index, (rule, self.column(name) or name, str(value), fix))

    def days(self, name: str) -> "pd.Series[Any]":
        """A field of dates, strictly as the mapping says they are written; ISO dates (from Excel) are always taken."""
        texts, pattern = self.text(name), self.facts["dates"]
        found = pd.to_datetime(texts, format=DATES[pattern], errors="coerce")
        found = found.fillna(pd.to_datetime(texts.where(found.isna()), format="%Y-%m-%d", errors="coerce"))
        for index in texts.index[texts.notna() & found.isna()]:
            fix = "correct the cell, or the `dates` line of the mapping"
            self.blame(index, f"no date written {pattern}", name, texts[index], fix)
        return found

    def yes(self, name: str) -> "pd.Series[Any]":
        """A field of yes and no; an empty cell is unknown."""
        words = self.text(name).map(lambda w: None if w is None else str(w).strip().lower())
        for index in words.index[words.notna() & ~words.isin(YES | NO)]:
            self.blame(index, "neither yes nor no", name, words[index], "write yes or no")
        return words.map(lambda w: None if w is None else w in YES).astype("boolean")

    def whole(self, name: str) -> "pd.Series[Any]":
        """A field of whole numbers."""
        texts = self.text(name)
        found = pd.to_numeric(texts, errors="coerce")
        odd = texts.notna() & (found.isna() | (found % 1 != 0))
        for index in texts.index[odd]:
            self.blame(index, "no whole number", name, texts[index], "write a whole number")
        return found.where(~odd).astype("Int64")

    def money(self, name: str, currencies: "pd.Series[Any]") -> "pd.Series[Any]":
        """A field of amounts in minor units; an empty cell is unknown, never 0."""
        found: list[int | None] = []
        texts = self.text(name)
        for index, text, currency in zip(texts.index, texts, currencies, strict=True):
            minor = None
            if text is not None:
                try:
                    minor = to_minor(number(str(text), self.facts["decimal"]), str(currency))
                except ValueError as error:
                    fix = "correct the cell, or the `decimal` and `currency` lines of the mapping"
                    self.blame(index, str(error), name, text, fix)
            found.append(minor)
        return pd.Series(pd.array(found, dtype="Int64"), index=texts.index)

    def currency(self) -> "pd.Series[Any]":
        """Each row's currency: its own cell, else the mapping's; a row without either is wrong."""
        found = self.text("currency").map(lambda w: None if w is None else str(w).strip().upper())
        found = found.where(found.notna(), self.facts["currency"])
        for index in found.index[found.isna()]:
            self.blame(
                index, "no currency", "currency", "", "map a currency column, or write `currency` in the mapping"
            )
        return found


def number(text: str, decimal: str) -> Decimal:
    """An amount as people write it: 1.234,50 with decimal ",", $1,234.50 with "."; ValueError when it is none."""
    plain = re.sub(r"[\s\u00a0\u202f'’]|^[^\d\-+(.,]+|[^\d).,]+$", "", text.strip())
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain.strip("()").replace("." if decimal == "," else ",", "").replace(",", ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError("no number") from None
    if not re.search(r"\d", text) or re.search(r"[A-Za-z]\d|\d[A-Za-z]\d|;", text):
        raise ValueError("no number")
    return -value if negative else value


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    reading = Reading(batch.stream, batch.table.to_pandas(), batch.facts)
    notes: list[Note] = []
    if batch.stream == "deals":
        columns, notes = _deals(reading)
    elif batch.stream == "quotas":
        columns = _quotas(reading)
    else:
        columns = {name: _usual(reading, name, kind) for name, kind in DRAFTS[batch.stream].items()}
    if batch.stream == "people":
        columns = _people(reading, columns)
    if batch.stream == "absences":
        columns = _absences(reading, columns)
    columns["external_id"] = _ids(reading, columns)
    frame = draft_frame(batch.stream, columns, len(reading.raw))
    rejects = [_reject(reading, frame, index) for index in reading.wrong]
    good = frame.drop(index=list(reading.wrong)).reset_index(drop=True)
    if batch.stream == "people":
        good = _bosses(good, frame)
    if batch.stream == "objectives":  # one row a key result: the objective stands in the first of them
        good = good.drop_duplicates("external_id").reset_index(drop=True)
    if batch.stream == "key_results":
        good = good[good["title"].notna()].reset_index(drop=True)
    return Drafts(batch.stream, good, rejects, notes)


def _usual(reading: Reading, name: str, kind: str) -> "pd.Series[Any]":
    if name == "external_id":
        return reading.text(name)
    if name in ("batch", "asked_on"):  # a month is all that is kept of a day
        months: pd.Series[Any] = reading.days(name).dt.strftime("%Y-%m").astype("object")
        return months
    if kind == "day":
        return reading.days(name)
    if kind == "boolean":
        return reading.yes(name)
    if kind == "Int64":
        return reading.whole(name)
    found = reading.text(name)
    allowed = WORDS.get((reading.stream, name))
    if allowed:
        found = found.map(lambda w: None if w is None else str(w).strip().lower())
        found = found.where(found.notna(), USUAL[reading.stream].get(name))
        for index in found.index[~found.isin(allowed)]:
            reading.blame(index, f"none of {', '.join(sorted(allowed))}", name, found[index], "use one of these words")
    return found


def _people(reading: Reading, columns: dict[str, Any]) -> dict[str, Any]:
    group = columns["working_group"]
    left, hired = columns["left_on"], columns["hired_on"]
    gone = left.notna() & (hired.isna() | (left >= hired))
    return columns | {"active": ~gone, "working_group": group.where(group.notna(), reading.facts["working_group"])}


def _absences(reading: Reading, columns: dict[str, Any]) -> dict[str, Any]:
    """People write the last day away; we keep the day after. Leave relieves of the quota unless the cell says no."""
    first, end = columns["first_day"], columns["end_day"] + pd.Timedelta(days=1)
    for index in reading.raw.index[first.isna() | end.isna() | (end <= first)]:
        reading.blame(index, "no span of days", "end_day", "", "fill in the first and the last day away, in this order")
    relieved = pd.Series(columns["relieved"], index=reading.raw.index).astype("boolean").fillna(True)
    return columns | {"end_day": end, "relieved": relieved}


def _bosses(good: pd.DataFrame, everyone: pd.DataFrame) -> pd.DataFrame:
    """Managers who have no row of their own become people too: somebody has to be reported to."""
    known = {*everyone["external_id"], *everyone["employee_id"].dropna()}
    new = [m for m in dict.fromkeys(good["manager_external_id"].dropna()) if m not in known]
    if not new:
        return good
    groups = [good.loc[good["manager_external_id"] == m, "working_group"].iloc[0] for m in new]
    columns = {"external_id": new, "name": new, "active": [True] * len(new), "working_group": groups}
    return pd.concat([good, draft_frame("people", columns, len(new))], ignore_index=True)


def _ids(reading: Reading, columns: Mapping[str, Any]) -> "pd.Series[Any]":
    """Each row's id: the file's own, or what the row is known by. A later row with the same id is a reject."""
    ids = reading.text("external_id")
    if reading.column("external_id") is None:
        parts = [pd.Series(columns[k]).astype("str") for k in KEYS.get(reading.stream, ("person",))]
        ids = pd.Series([" · ".join(row) for row in zip(*parts, strict=True)], index=reading.raw.index, dtype="object")
    for index in ids.index[ids.isna()]:
        reading.blame(index, "no id", "external_id", "", "fill in the cell")
    ids = ids.where(ids.notna(), "row " + reading.raw["_row"].astype(str))
    if reading.stream == "feedback":  # only a digest is kept, so that the file's ids lead nowhere
        return ids.map(lambda i: hashlib.sha256(str(i).encode()).hexdigest()[:24])
    if reading.stream == "people":  # a second row is a second stay of the same person
        stay = ids.groupby(ids).cumcount()
        return ids.where(stay == 0, ids + "#" + (stay + 1).astype(str))
    later = ids.duplicated()
    if "first_rows" in reading.facts:  # the same id may stand in an earlier batch
        later |= ~reading.raw["_row"].isin(reading.facts["first_rows"])
    if reading.stream == "objectives":
        return ids
    for index in ids.index[later]:
        reading.blame(index, "its id stands in an earlier row", "external_id", ids[index], "remove one of the two rows")
    return ids.where(~later, ids + " (row " + reading.raw["_row"].astype(str) + ")")


def _quotas(reading: Reading) -> dict[str, Any]:
    currency = reading.currency()
    columns = {name: _usual(reading, name, kind) for name, kind in DRAFTS["quotas"].items() if kind == "str"}
    columns |= {"currency": currency, "amount_minor": reading.money("amount_minor", currency)}
    if reading.column("period") is not None:
        spans = [period(str(word)) if word is not None else None for word in reading.text("period")]
        for index, word, span in zip(reading.raw.index, reading.text("period"), spans, strict=True):
            if span is None:
                reading.blame(index, "no period", "period", word, "write 2026-11, 2026-Q4 or 2026")
        columns["first_day"] = pd.Series([s[0] if s else pd.NaT for s in spans], index=reading.raw.index)
        columns["end_day"] = pd.Series([s[1] if s else pd.NaT for s in spans], index=reading.raw.index)
    else:
        columns["first_day"] = reading.days("first_day")
        columns["end_day"] = reading.days("end_day") + pd.Timedelta(days=1)
        for index in reading.raw.index[columns["first_day"].isna() | columns["end_day"].isna()]:
            reading.blame(index, "no period", "first_day", "", "fill in the first and the last day")
    for index in reading.raw.index[columns["amount_minor"].isna()]:
        reading.blame(index, "no amount", "amount_minor", "", "fill in the amount; write 0 for a quota of zero")
    return columns


def period(word: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """The first day of 2026-11, 2026-Q4 or 2026, and the day after its last; None for anything else."""
    match = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d{1,2})))?", word.strip(), re.IGNORECASE)
    if match is None or (match[3] and not 1 <= int(match[3]) <= 12):
        return None
    month = int(match[3] or (int(match[2] or 1) * 3 - 2))
    first = pd.Timestamp(int(match[1]), month, 1)
    return first, first + pd.DateOffset(months=1 if match[3] else 3 if match[2] else 12)


def _deals(reading: Reading) -> tuple[dict[str, Any], list[Note]]:
    currency = reading.currency()
    columns: dict[str, Any] = {
        n: reading.text(n) for n, kind in DRAFTS["deals"].items() if kind == "str" and n != "status"
    }
    columns |= {"currency": currency, "amount_minor": reading.money("amount_minor", currency)}
    columns |= {"close_day": reading.days("close_day"), "created_day": reading.days("created_day")}
    columns["probability_bp"] = basis_points(reading.text("probability_bp"), 100)
    columns["status"] = _statuses(reading)
    for index in reading.raw.index[columns["status"].isna()]:
        source = "status" if reading.column("status") else "stage"
        word = reading.text(source)[index]
        reading.blame(
            index, "its stage is not known", source, word, f"add {str(word)!r} to [deals.status] of the mapping"
        )
    for index in reading.raw.index[columns["status"].isin(["won", "lost"]) & columns["close_day"].isna()]:
        reading.blame(index, "closed without a close date", "close_day", "", "fill in the close date")
    columns["removed"] = pd.Series(False, reading.raw.index)
    return columns, _notes(reading, columns)


def _statuses(reading: Reading) -> "pd.Series[Any]":
    words = reading.text("status") if reading.column("status") else reading.text("stage")
    table = reading.facts["status"] or {"won": "won", "open": "open", "lost": "lost"}
    lower = {k.lower(): v for k, v in table.items()}
    found: pd.Series[Any] = words.map(lambda w: None if w is None else lower.get(str(w).strip().lower()))
    return found


def _notes(reading: Reading, columns: Mapping[str, Any]) -> list[Note]:
    """What is odd but stops nothing: values that a list does not have, deals without account, owner or amount."""
    ids, notes = reading.text("external_id"), []
    for name, (file, values) in reading.facts["known"].items():
        words = columns[name]
        odd = words[words.notna() & ~words.isin(values)]
        notes += [
            Note(f"{name} {word!r} is not in {file}", int(n), str(ids[odd.index[0]]))
            for word, n in odd.value_counts().items()
        ]
    for name, words in (("account", "deal without an account"), ("owner_external_id", "deal without an owner")):
        if reading.column(name) is not None:
            blank = columns[name].isna()
            notes += [Note(words, int(blank.sum()), str(ids[blank].iloc[0]))] if blank.any() else []
    closed = (
        columns["status"].isin(["won", "lost"])
        & columns["amount_minor"].isna()
        & ~reading.raw.index.isin(list(reading.wrong))
    )
    notes += (
        [Note("closed deal without an amount", int(closed.sum()), str(ids[closed].iloc[0]))] if closed.any() else []
    )
    return notes


def _reject(reading: Reading, frame: pd.DataFrame, index: Any) -> RejectDraft:
    rule, column, value, fix = reading.wrong[index]
    place = f"{reading.facts['file']} row {reading.raw['_row'][index]}"
    shown = f"{value!r} is " if value and value != "None" else ""
    about: dict[str, Any] = {}
    if reading.stream == "deals":
        row = frame.loc[index]
        about = {
            "status": None if pd.isna(row["status"]) else str(row["status"]),
            "amount_minor": None if pd.isna(row["amount_minor"]) else int(row["amount_minor"]),
            "currency": None if pd.isna(row["currency"]) else str(row["currency"]),
            "close_day": None if pd.isna(row["close_day"]) else row["close_day"].date(),
        }
    text = f"{place}, column {column}: {shown}{rule}"
    return RejectDraft(str(frame["external_id"][index]), rule, column, value, text, fix, **about)


def raw_totals(
    raw: pd.DataFrame, facts: Mapping[str, Any], spans: Sequence[tuple[date, date]]
) -> list[SourceTotalDraft]:
    """The file's own totals: every row whose status, date and amount can be read counts, rejected or not."""
    reading = Reading("deals", raw, facts)
    status, day, currency = _statuses(reading), reading.days("close_day"), reading.currency()
    cents = reading.money("amount_minor", currency)
    found: list[SourceTotalDraft] = []
    for first, end in spans:
        inside = (day >= pd.Timestamp(first)) & (day < pd.Timestamp(end)) & status.notna()
        keys = pd.DataFrame({"status": status[inside], "currency": currency[inside], "cents": cents[inside]})
        for (word, code), part in keys.groupby(["status", "currency"]):
            how = f"added up from {facts['file']}"
            found.append(SourceTotalDraft(first, end, str(word), str(code), int(part["cents"].sum()), len(part), how))
    return found
