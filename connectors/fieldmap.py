"""A landed batch with today's field map in place of the one that it was read with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.base import Batch
from connectors.errors import SourceError

BARE = ("id", "removed", "modified_at")
"""All that is told of a record that is gone."""


def mapped_anew(
    name: str, batch: Batch, words: Mapping[str, str], only: Mapping[str, Sequence[Any]], extra: Sequence[str]
) -> Batch:
    """Give a batch today's `words` (ours to the source's), filter and extra fields; SourceError when it lacks one.

    A filter may leave out more than the one it was read with, never less: what was left out was not landed.
    """
    there, was = set(batch.table.column_names), batch.facts.get("fields", {})
    if not any(field in there for word, field in was.items() if word not in BARE):
        return batch  # records that are gone, by their ids alone
    lost = {field for word, field in words.items() if field not in there and was.get(word) in there}
    lost |= {field for field in (*only, *extra) if field not in there}
    if lost:
        raise SourceError(
            f"{name}: {batch.stream} were read without {', '.join(sorted(lost))}, so they cannot be replayed with it; "
            f"run: beyond-quota sync {name} --full"
        )
    before = batch.facts.get("only") or {}
    for field, values in before.items():
        if field not in only or not set(map(str, only[field])) <= set(map(str, values)):
            raise SourceError(
                f"{name}: {batch.stream} were read only where {field} is {', '.join(map(str, values))}, so others were "
                f"not landed; run: beyond-quota sync {name} --full"
            )
    facts: dict[str, Any] = {**batch.facts, "fields": {w: f for w, f in words.items() if f in there}}
    facts["only"] = {field: list(values) for field, values in only.items()}
    return replace(batch, facts=facts)
