"""Reads a CSV or Excel file as columns of text, exactly as typed: 00123 stays 00123, and NA stays NA."""

import csv
import hashlib
import io
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd

from connectors.errors import BadAnswer

EXCEL = {".xlsx", ".xls", ".xlsb", ".ods"}
LARGEST = 200 * 1024 * 1024
csv.field_size_limit(10 * 1024 * 1024)


def digest(*paths: Path) -> str:
    """What a set of files holds, as one short word: the same bytes give the same word."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:32]


def read(path: Path) -> pd.DataFrame:
    """A file's columns as text with a `_row` column: the row's number as a spreadsheet shows it, the header being 1.

    Empty cells are None, empty rows are left out. BadAnswer names the file when it cannot be read as a table.
    """
    if path.stat().st_size > LARGEST:
        raise BadAnswer(f"{path.name} is larger than {LARGEST // 2**20} MB; split it by period")
    try:
        rows = _excel(path) if path.suffix.lower() in EXCEL else _csv(path)
    except (csv.Error, ValueError, OSError) as error:
        raise BadAnswer(f"{path.name} cannot be read as a table: {error}") from None
    if not rows:
        raise BadAnswer(f"{path.name} is empty: it has not even a header")
    header = [cell.strip() for cell in rows[0]]
    twice = sorted({h for h in header if h and header.count(h) > 1})
    if twice:
        raise BadAnswer(f"{path.name} has the column {', '.join(twice)} more than once; rename one of them")
    width = len(header)
    body = [(n, cells) for n, cells in enumerate(rows[1:], 2) if any(c.strip() for c in cells)]
    columns: dict[str, Any] = {"_row": [n for n, _ in body]}
    for index, name in enumerate(header):
        if name:
            columns[name] = [(cells[index].strip() or None) if index < len(cells) else None for _, cells in body]
    spill = next((n for n, cells in body if any(c.strip() for c in cells[width:])), None)
    if spill is not None:
        raise BadAnswer(f"{path.name} row {spill} has more cells than the header; is the separator right?")
    return pd.DataFrame(columns).astype({n: "object" for n in columns if n != "_row"})


def _csv(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    text = None
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None:
        raise ValueError("its encoding is none of UTF-8, UTF-16 and Windows-1252")
    if "\0" in text:
        raise ValueError("it holds NUL bytes, as no text file does")
    first = text.lstrip().split("\n", 1)[0]
    separator = max(",;\t|", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))


def _excel(path: Path) -> list[list[str]]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(str(path))
        return [[_cell(c) for c in row] for row in book.get_sheet_by_index(0).to_python(skip_empty_area=False)]
    except (python_calamine.CalamineError, IndexError) as error:
        raise ValueError(f"no readable workbook ({type(error).__name__})") from None


def _cell(value: Any) -> str:
    """A cell as text: days as 2026-11-24, whole numbers without a point."""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
