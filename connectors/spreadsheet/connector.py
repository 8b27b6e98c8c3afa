"""The spreadsheet connector: a folder of files, read whole whenever one of them has changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from connectors.base import Account, Batch, Drafts, Finding, Part, SourceTotalDraft, Stream
from connectors.errors import NotAllowed
from connectors.guard import proven_options
from connectors.spreadsheet.files import digest, read
from connectors.spreadsheet.mapping import ColumnMapping, load_mapping, missing_columns
from connectors.spreadsheet.translate import raw_totals, translate

EVERY = 5000  # rows in a batch


class Spreadsheet:
    """Reads one folder of CSV or Excel files."""

    kind: ClassVar[str] = "spreadsheet"

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None:
        problems = [
            f"{k} is not an option of a spreadsheet connection" for k in sorted(set(options) - {"folder", "mapping"})
        ]
        folder = Path(str(options.get("folder") or ""))
        if not options.get("folder"):
            problems.append("folder is missing: where the files are")
        elif not folder.is_dir():
            problems.append(f"there is no folder {folder}")
        proven_options(name, problems)
        self.name, self.folder, self.calls = name, folder, 0
        self.path = Path(str(options["mapping"])) if options.get("mapping") else None
        self._files: dict[Path, pd.DataFrame] = {}

    @cached_property
    def mapping(self) -> ColumnMapping:
        """The column mapping, checked against the files; every missing column is named at once."""
        mapping = load_mapping(self.folder, self.path)
        problems = [
            line for sheet in mapping.sheets.values() for line in missing_columns(sheet, self._file(sheet.file))
        ]
        if problems:
            raise NotAllowed(f"{self.name}: the files do not have what the mapping names:", problems)
        return mapping

    def _file(self, path: Path) -> pd.DataFrame:
        if path not in self._files:
            self.calls += 1
            self._files[path] = read(path)
        return self._files[path]

    def check(self) -> list[Finding]:
        """One finding a file: its rows and columns."""
        found = []
        for stream, sheet in self.mapping.sheets.items():
            frame = self._file(sheet.file)
            found.append(
                Finding(
                    f"{sheet.file.name} for {stream}", True, f"{len(frame):,} rows, {len(sheet.columns)} columns mapped"
                )
            )
        return found

    def account(self) -> Account:
        """The mapping's currency; files have no links."""
        return Account(currency=self.mapping.currency)

    def streams(self) -> list[Stream]:
        """What the mapping names."""
        return [Stream(stream, snapshot=True) for stream in self.mapping.sheets]

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing to ask for ahead."""

    def survey(self, stream: str) -> list[Part] | None:
        """Nothing is counted."""
        return None

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """Nothing is read in parts."""
        yield from ()

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """The whole file as text, or one empty batch marked unchanged when it is the same as the last time."""
        sheet = self.mapping.sheets[stream]
        lists = [place for place, _ in sheet.known.values()]
        state = {"digest": digest(sheet.file, *lists, *([self.path] if self.path else [])), "layout": 1}
        if cursor == state:
            yield Batch(stream, pa.table({}), state, {"unchanged": True}, last=True)
            return
        frame, facts = self._file(sheet.file), self._facts(stream)
        for start in range(0, max(len(frame), 1), EVERY):
            part = frame.iloc[start : start + EVERY]
            table = pa.table({n: pa.array(part[n], pa.int64() if n == "_row" else pa.string()) for n in part.columns})
            yield Batch(stream, table, state, facts, last=start + EVERY >= len(frame))

    def _facts(self, stream: str) -> dict[str, Any]:
        sheet, mapping = self.mapping.sheets[stream], self.mapping
        known = {
            name: [place.name, sorted(set(self._file(place)[column].dropna()))]
            for name, (place, column) in sheet.known.items()
        }
        times = {}
        if "external_id" in sheet.columns and isinstance(sheet.columns["external_id"], str):
            ids = self._file(sheet.file)[sheet.columns["external_id"]]
            first = ~ids.duplicated()
            times = {"first_rows": self._file(sheet.file)["_row"][first].tolist()} if ids.duplicated().any() else {}
        common = {"currency": mapping.currency, "dates": mapping.dates, "decimal": mapping.decimal}
        extra = {"file": sheet.file.name, "working_group": mapping.working_group}
        return {
            **common,
            **extra,
            "columns": dict(sheet.columns),
            "status": dict(sheet.status),
            "known": known,
            **times,
        }

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words."""
        return translate(batch)

    def remap(self, batch: Batch) -> Batch:
        """A landed batch with today's column mapping; the lists it was checked against stay as they were."""
        mapping = load_mapping(self.folder, self.path)
        sheet = mapping.sheets.get(batch.stream)
        named = [n for c in (sheet.columns.values() if sheet else ()) for n in ([c] if isinstance(c, str) else c)]
        lost = sorted(set(named) - set(batch.table.column_names))
        was = batch.facts.get("columns", {}).get("external_id")
        if sheet is None or lost or sheet.columns.get("external_id") != was:
            raise NotAllowed(
                f"{self.name}: {batch.stream} were read with other columns"
                + (f" ({', '.join(lost)} were not there)" if lost else "")
                + f", so they cannot be replayed with this mapping; run: beyond-quota sync {self.name} --full"
            )
        facts: dict[str, Any] = {"currency": mapping.currency, "dates": mapping.dates, "decimal": mapping.decimal}
        facts |= {"columns": dict(sheet.columns), "status": dict(sheet.status)}
        return replace(batch, facts={**batch.facts, **facts, "working_group": mapping.working_group})

    def totals(
        self, spans: Sequence[tuple[date, date]], lately: Sequence[tuple[date, date]] = ()
    ) -> list[SourceTotalDraft]:
        """Added up from the file's own cells, whatever became of the rows."""
        if "deals" not in self.mapping.sheets:
            return []
        return raw_totals(self._file(self.mapping.sheets["deals"].file), self._facts("deals"), spans)

    def close(self) -> None:
        """Let go of the files."""
        self._files.clear()
