"""The Salesforce connector: signs in, says what there is, and gives each stream batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.base import Account, Batch, Drafts, Figure, Finding, Outcome, Part, SourceTotalDraft, Stream
from connectors.errors import NotAllowed, SourceError
from connectors.fieldmap import mapped_anew
from connectors.salesforce import activities, deleted, surveys
from connectors.salesforce.checkup import findings
from connectors.salesforce.client import Client
from connectors.salesforce.facts import FACTS, ONE_CURRENCY, facts_of, read_facts
from connectors.salesforce.objects import OBJECTS, Object, chosen
from connectors.salesforce.options import read_options
from connectors.salesforce.quotas import quota_span
from connectors.salesforce.reading import Slice, slices
from connectors.salesforce.refusals import FieldGone
from connectors.salesforce.soql import Place, Reading, any_of, kept
from connectors.salesforce.translate import translate
from connectors.salesforce.writeback import publish

IDS = 300  # in one IN list; an address may be 16,384 bytes long


class Salesforce:
    """Reads one Salesforce org with a read-only integration user."""

    kind: ClassVar[str] = "salesforce"

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None:
        self.name = name
        self.options = read_options(name, options, loopback, OBJECTS)
        self.client = Client(name, self.options)
        self._facts: dict[str, Any] | None = None
        self._began: datetime | None = None

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.client.calls

    @property
    def began(self) -> datetime:
        """The server's time when this run began: what changes later is read by the next run."""
        _ = self.facts
        if self._began is None:
            raise SourceError(f"{self.name}: the server has not told its time yet")
        return self._began

    @property
    def facts(self) -> dict[str, Any]:
        """What translate has to know of the org; one call tells it, and which objects and fields there are."""
        if self._facts is None:
            names = [thing.name for stream in OBJECTS for thing in chosen(stream, self.options)]
            answers = self.client.describe(list(dict.fromkeys(names)), list(facts_of(self.options).values()))
            self._began = self.client.served_at
            if answers[0] is None:  # an org of one currency may not have that field
                answers[0] = self.client.rows(ONE_CURRENCY, "organisation")
            self._facts = read_facts(self.name, self.options, dict(zip(FACTS, answers, strict=True)))
        return self._facts

    def account(self) -> Account:
        """The org's corporate currency and zone, and its links."""
        facts = self.facts
        link = f"https://{self.client.signed.host}/lightning/r/Opportunity/{{id}}/view"
        return Account(facts["currency"], facts["time_zone"], link)

    def object(self, stream: str) -> Object | None:
        """The object that a stream is read from, as mapped; None when the org does not have it for us."""
        _ = self.facts
        return next((o for o in chosen(stream, self.options) if self.client.fields(o.name) is not None), None)

    def streams(self) -> list[Stream]:
        """What this org has; optional features that are not enabled are left out, never read as empty."""
        found = []
        for stream in OBJECTS:
            thing = self.object(stream)
            if stream in self.options.leave_out or (thing is None and chosen(stream, self.options)[0].feature):
                continue
            followed = thing is None or bool(thing.stamp) or stream == "activities"
            found.append(Stream(stream, snapshot=not followed, countable=surveys.countable(self, stream)))
        return found

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Ask for the first page of every stream that goes on from a cursor, five at a time."""
        paths: list[str] = []
        for stream in (s.name for s in self.streams()):
            try:
                paths += self._first_pages(stream, cursors.get(stream))
            except SourceError:
                continue  # that stream says so itself when it is read
        self.client.ahead(paths, f"{self.name}: first pages")

    def _first_pages(self, stream: str, cursor: Mapping[str, Any] | None) -> list[str]:
        thing = self.object(stream)
        if thing is None or (thing.stamp and cursor is None) or (cursor and "stamp" in cursor):
            return []
        if stream == "activities":
            return [self.client.path("queryAll", q=count.soql) for count in activities.counts(self, cursor)]
        reading = self._reading(stream, thing, cursor)
        log = [deleted.path(self, thing, cursor)] if thing.log and cursor else []
        return [self.client.path(reading.verb, q=reading.soql), *log]

    def check(self) -> list[Finding]:
        """Sign in, then every object and field, and what works without those that are missing."""
        return findings(self)

    def names(self, stream: str, thing: Object) -> dict[str, str]:
        """Our words to those of its fields that we may see; NotAllowed names the needed ones that are missing."""
        seen = self.client.fields(thing.name) or {}
        lacking = [f for f in thing.needed.values() if f not in seen]
        if lacking:
            what = f"the fields {', '.join(lacking)} of {thing.name}" if seen else f"the object {thing.name}"
            raise NotAllowed(
                f"{self.name}: {stream} need {what}, not there or not visible; give the run-as user the right"
            )
        return {word: name for word, name in thing.words.items() if name in seen}

    def filter(self, stream: str, types: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
        """The installation's filter of a stream, with record types as their ids; `types` are the org's, if known."""
        if stream == "quotas":
            return dict(self.options.quota.only) if self.options.quota else {}
        only: dict[str, Any] = dict(self.options.only.get(stream, {}))
        if "RecordType" in only:
            types = self.facts["record_types"] if types is None else types
            wanted = [str(v) for v in only.pop("RecordType")]
            ids = [i for i, names in types.items() if set(names) & set(wanted)]
            unknown = [w for w in wanted if not any(w in names for names in types.values())]
            if unknown:
                known = ", ".join(sorted(names[0] for names in types.values())) or "none"
                raise SourceError(f"{self.name}: there is no record type {', '.join(unknown)}; the org has {known}")
            only["RecordTypeId"] = ids
        return only

    def _reading(self, stream: str, thing: Object, cursor: Mapping[str, Any] | None) -> Reading:
        names = self.names(stream, thing)
        fields = tuple(dict.fromkeys([*names.values(), *self.filter(stream)]))
        whole = Reading(thing.name, fields, thing.stamp, everything=thing.bin)
        if not thing.stamp or cursor is None or not cursor.get("since"):
            # what a filter leaves out need not be read, unless it was let in before
            return replace(whole, conditions=tuple(kept(self.filter(stream))))
        since = datetime.fromisoformat(str(cursor["since"])) - timedelta(minutes=self.options.overlap_minutes)
        until = datetime.fromisoformat(str(cursor.get("began") or self.began.isoformat()))
        return replace(whole, since=since, until=until)

    def undated(self, stream: str) -> bool:
        """Whether these are quotas without a day: each is that of the period in which it is read."""
        return stream == "quotas" and self.options.quota is not None and self.options.quota.first_day is None

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a stream: by (time stamp, Id) from the last server time minus the overlap, or whole without a cursor."""
        thing = self.object(stream)
        if thing is None:
            self.names(stream, chosen(stream, self.options)[0])
            raise AssertionError("unreachable")
        if stream == "activities":
            yield from activities.pull(self, cursor)
            return
        if self.undated(stream):
            yield from self._undated(stream, thing)
            return
        try:
            yield from self._pull(stream, thing, cursor)
        except FieldGone:  # the org's fields changed between describe and query: look again, once
            self.client.forget(thing.name)
            yield from self._pull(stream, thing, cursor)

    def _pull(self, stream: str, thing: Object, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        reading, facts = self._reading(stream, thing, cursor), self._batch_facts(stream, thing)
        middle = cursor is not None and "stamp" in cursor
        began = str(cursor["began"]) if cursor and middle else self.began.isoformat()
        since = cursor.get("since") if cursor else None
        job = locator = ""
        if cursor and middle:  # a pull that broke off: on from the last row that was kept
            reading = reading.on_from(Place(str(cursor["stamp"]), str(cursor["id"])))
            job, locator = str(cursor.get("job", "")), str(cursor.get("locator", ""))
        seen: dict[str, bool] = {}
        waiting: Slice | None = None
        try:
            for part in slices(self.client, reading, stream, job, locator):
                if waiting is not None:
                    yield self._batch(stream, waiting, facts, _state(waiting, began, since, thing), last=False)
                waiting = part
                if since and thing.log:
                    gone = part.table["IsDeleted"].to_pylist() if "IsDeleted" in part.table.column_names else []
                    ids = part.table["Id"].to_pylist()
                    seen |= dict(zip(ids, gone or [False] * len(ids), strict=True))
        except SourceError:
            if waiting is not None and waiting.place is not None:  # what came whole is kept
                yield self._batch(stream, waiting, facts, _state(waiting, began, since, thing), last=False)
            raise
        assert waiting is not None
        checks = {"recycle bin": began} if thing.bin else {}
        state: dict[str, Any] = {"since": began} if thing.stamp else {}
        if thing.log and since and cursor:
            stones, covered = deleted.tombstones(self, thing, cursor, seen)
            if covered:
                checks["deletion log"] = began
            if stones.num_rows:
                yield self._batch(stream, waiting, facts, _state(waiting, began, since, thing), last=False)
                waiting = replace(waiting, table=stones)
            if not covered:
                state["overdue"] = True  # the log does not reach back far enough: count and compare
        yield replace(self._batch(stream, waiting, facts, state, last=True), checks=checks)

    def _undated(self, stream: str, thing: Object) -> Iterator[Batch]:
        """Quotas of the current period, all in one batch: those of earlier periods stay as they then were."""
        facts = self._batch_facts(stream, thing)
        table = pa.concat_tables(s.table for s in slices(self.client, self._reading(stream, thing, None), stream))
        span = quota_span(facts)
        yield Batch(stream, table, {"since": self.began.isoformat()}, facts, last=True, span=span)

    def _batch(self, stream: str, part: Slice, facts: Mapping[str, Any], state: Mapping[str, Any], last: bool) -> Batch:
        return Batch(stream, part.table, state, facts, last)

    def _batch_facts(self, stream: str, thing: Object) -> dict[str, Any]:
        facts = self.facts
        problem = {"quotas": facts["quota_problem"], "splits": facts["split_problem"]}.get(stream)
        if problem:
            raise NotAllowed(f"{self.name}: {problem}")
        wanted = {
            "quotas": ("quota_type", "quota_note", "periods", "fiscal_start_month"),
            "splits": ("overlay",), "deals": ("record_types",), "people": ("notes",),
        }  # fmt: skip
        found = {"currency": facts["currency"], "object": thing.name, "fields": self.names(stream, thing)}
        found |= {name: facts[name] for name in wanted.get(stream, ())}
        if self.options.extra.get(stream):
            seen = self.client.fields(thing.name) or {}
            found["extra"] = {n: seen[n]["type"] for n in self.options.extra[stream] if n in seen}
        if self.filter(stream):
            found["only"] = {k: list(values) for k, values in self.filter(stream).items()}
        if stream == "quotas" and self.options.quota is None:
            found |= {"family": self.options.quota_product_family, "territory": self.options.quota_territory}
        elif stream == "quotas" and self.options.quota is not None:
            found |= {"quota_period": self.options.quota.period, "today": self._today.isoformat()}
        return found

    @property
    def quota_facts(self) -> dict[str, Any]:
        """What tells for which period a quota is set."""
        own = {"quota_period": self.options.quota.period} if self.options.quota is not None else {}
        return {"periods": self.facts["periods"], **own}

    @property
    def _today(self) -> date:
        """The day that it is for the org's people: in its own time zone, by its own clock."""
        zone = self.facts["time_zone"]
        return (self.began.astimezone(ZoneInfo(zone)) if zone else self.began).date()

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """Everything of one part; what is known of it and was not among that is looked for by its id."""
        thing = self.object(stream)
        if thing is None:
            return
        facts = self._batch_facts(stream, thing)
        reading = replace(self._reading(stream, thing, None), stamp="", everything=False)
        conditions = (*reading.conditions, *surveys.conditions(self, stream, part))
        seen: set[str] = set()
        for found in slices(self.client, replace(reading, conditions=conditions), f"{stream}, checked"):
            seen |= set(found.table["Id"].to_pylist())
            yield self._batch(stream, found, facts, {}, last=False)
        missing = sorted(set(known) - seen)
        for start in range(0, len(missing), IDS):
            elsewhere = replace(reading, conditions=(any_of("Id", missing[start : start + IDS]),), everything=thing.bin)
            for found in slices(self.client, elsewhere, f"{stream}, looked for"):
                yield self._batch(stream, found, facts, {}, last=False)

    def survey(self, stream: str) -> list[Part] | None:
        """What the org itself counts and adds up of a stream, part by part; None when there is nothing to count."""
        return surveys.survey(self, stream)

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words."""
        return translate(batch)

    def remap(self, batch: Batch) -> Batch:
        """A landed batch with today's field map; what the org said of itself stays as it was said then."""
        stream, facts = batch.stream, batch.facts
        if stream == "activities":
            return batch
        things = [t for t in chosen(stream, self.options) if t.name == facts.get("object")]
        if not things:
            raise SourceError(
                f"{self.name}: {stream} were read from {facts.get('object')}, which the settings no longer name; run: "
                f"beyond-quota sync {self.name} --full"
            )
        extra = self.options.extra.get(stream, [])
        found = mapped_anew(self.name, batch, things[0].words, self.filter(stream, facts.get("record_types")), extra)
        kept: dict[str, Any] = {"extra": {n: facts.get("extra", {}).get(n, "string") for n in extra}} if extra else {}
        if stream == "quotas" and self.options.quota is not None:
            kept["quota_period"] = self.options.quota.period
        elif stream == "quotas":
            kept |= {"family": self.options.quota_product_family, "territory": self.options.quota_territory}
        return replace(found, facts={**found.facts, **kept})

    def publish(self, figures: Sequence[Figure]) -> list[Outcome]:
        """Write figures to the scorecard object; SourceError unless write_back is enabled."""
        if not self.options.write_back.enabled:
            raise SourceError(f"{self.name}: write_back is off; set write_back.enabled = true to write scorecards")
        return publish(self, figures)

    def totals(
        self, spans: Sequence[tuple[date, date]], lately: Sequence[tuple[date, date]] = ()
    ) -> list[SourceTotalDraft]:
        """SUM(Amount) by the org itself, per span, status and currency."""
        return surveys.totals(self, spans)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()


def _state(part: Slice, began: str, since: Any, thing: Object) -> dict[str, Any]:
    """The cursor in the middle of a pull: where it began, and the last row that was kept."""
    if not thing.stamp or part.place is None:
        return {"since": since} if since else {}
    state = {"began": began, "since": since, "stamp": part.place.stamp, "id": part.place.id}
    return state | ({"job": part.job, "locator": part.locator} if part.locator else {})
