"""The HubSpot connector: signs in, says what there is, and gives each stream batch by batch."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from connectors.base import Account, Batch, Drafts, Figure, Finding, Outcome, Part, SourceTotalDraft, Stream
from connectors.errors import BadAnswer, NotAllowed, SourceError
from connectors.fieldmap import mapped_anew
from connectors.guard import proven_list
from connectors.hubspot import activities, facts, history, splits, surveys
from connectors.hubspot.checkup import findings
from connectors.hubspot.client import Answer, Client, Query
from connectors.hubspot.listing import Listing
from connectors.hubspot.objects import NEEDED, SPLIT, STREAMS, WORDS, asked, plain, records, words
from connectors.hubspot.options import read_options
from connectors.hubspot.refusals import Refused
from connectors.hubspot.searching import between, since, walk
from connectors.hubspot.translate import translate
from connectors.hubspot.writeback import publish

PAGE = 100
MISSING = {"OBJECT_NOT_FOUND", "NOT_FOUND"}
"""What a batch read says of a record that is gone."""


class HubSpot:
    """Reads one HubSpot portal with a service key, an existing private app token, or an app's OAuth."""

    kind: ClassVar[str] = "hubspot"

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None:
        self.name = name
        self.options = read_options(name, options, loopback, STREAMS, WORDS)
        self.client = Client(name, self.options)
        self._changed: dict[str, list[str]] = {}
        self.tally: surveys.Tally | None = None
        self._unknown: set[str] = set()  # stages that deals are in and no pipeline has

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.client.calls

    @cached_property
    def _account(self) -> Answer:
        return self.client.call("account", "account")

    @property
    def began(self) -> datetime:
        """The server's time when this run began: what changes later is read by the next run."""
        return self._account.served_at

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The portal's number, currency and time zone."""
        return facts.account(self.name, self._account.body)

    @cached_property
    def properties(self) -> dict[str, Mapping[str, Any]] | None:
        """The properties that deals have; None when we may not see them."""
        try:
            found = self.client.rows("properties of deals", "properties", kind="deals")
        except NotAllowed:
            return None
        return {str(p["name"]): p for p in found}

    @cached_property
    def words(self) -> dict[str, str]:
        """Our words to the properties of a deal that there are; NotAllowed names the needed ones that are missing."""
        named, there = words("deals", self.options), self.properties
        if there is None:
            return named
        lacking = [named[w] for w in NEEDED if named[w] not in there]
        if lacking:
            raise NotAllowed(
                f"{self.name}: deals need the properties {', '.join(lacking)}, which the account does not have; "
                "correct fields.deals"
            )
        return {word: name for word, name in named.items() if name in there}

    @cached_property
    def stages(self) -> list[dict[str, Any]]:
        """Every stage of every pipeline."""
        return facts.stages(self.name, self.client.rows("pipelines", "pipelines"))

    @cached_property
    def owners(self) -> list[dict[str, Any]]:
        """Everybody who owns or owned anything: those who left are in a list of their own."""
        rows = []
        for archived in ("false", "true"):
            query = [("limit", str(PAGE)), ("archived", archived)]
            rows += self.client.rows(f"owners, archived {archived}", "owners", query)
        return facts.owners(rows, self.teams_above if any(row.get("teams") for row in rows) else {})

    @cached_property
    def teams_above(self) -> dict[str, str]:
        """Which team is above which; the list of teams is a beta that not every account or key has."""
        try:
            return facts.teams_above(self.client.rows("teams", "teams", [("limit", str(PAGE))]))
        except (NotAllowed, Refused):
            return {}

    @cached_property
    def owner_of_user(self) -> dict[str, str]:
        """User ids to owner ids."""
        return {str(o["user"]): str(o["id"]) for o in self.owners if o["user"]}

    @cached_property
    def goals(self) -> list[dict[str, Any]] | None:
        """Every goal; None where the account has none to give."""
        query = [("limit", str(PAGE)), *(("properties", n) for n in words("quotas", self.options).values())]
        try:
            return self.client.rows("goals", "objects", query, "goal_targets")
        except NotAllowed:
            return None

    @cached_property
    def activity_kinds(self) -> list[str]:
        """The kinds of activity that we may count."""
        return [k for k in activities.KINDS if self._may(k, "objects", [("limit", "1")], kind=k)]

    def _may(self, what: str, path: str, query: Query = (), body: Any = None, *, kind: str = "") -> bool:
        """Whether something is there for us; what else goes wrong is said when it is read."""
        try:
            self.client.call(what, path, query, body, kind=kind)
        except NotAllowed:
            return False
        except Refused:
            return True
        return True

    @cached_property
    def _has_splits(self) -> bool:
        there = self.properties is not None and SPLIT in self.properties
        return there and self._may("deal splits", "splits", body={"inputs": []})

    @cached_property
    def _has_history(self) -> bool:
        return self._may("deal histories", "read", body={"inputs": [], "properties": []}, kind="deals")

    def account(self) -> Account:
        """The portal's currency, zone and links."""
        link = f"https://app.hubspot.com/contacts/{self.facts['portal']}/record/0-3/{{id}}"
        return Account(self.facts["currency"], self.facts["zone"], link)

    def streams(self) -> list[Stream]:
        """What this portal has; features that it does not have are left out, never read as empty."""
        absent: set[str] = set(self.options.leave_out)
        absent |= {"quotas"} if "quotas" not in absent and self.goals is None else set()
        absent |= {"splits"} if "splits" not in absent and not self._has_splits else set()
        absent |= {"activities"} if "activities" not in absent and not self.activity_kinds else set()
        absent |= {"deal_history"} if "deal_history" not in absent and not self._has_history else set()
        whole = {"people", "stages", "quotas", "splits"}
        return [Stream(s, snapshot=s in whole, countable=s == "deals") for s in STREAMS if s not in absent]

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing can be asked for ahead."""

    def check(self) -> list[Finding]:
        """Sign in, then every kind of record, and what works without those that are missing."""
        return findings(self)

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a stream: whole without a cursor, else what changed since, and the list of archived deals."""
        if stream == "people":
            yield Batch("people", plain(self.owners, facts.OWNER), {}, last=True)
        elif stream == "stages":
            yield Batch("stages", plain(self.stages, facts.STAGE), {}, last=True)
        elif stream == "quotas":
            named = words("quotas", self.options)
            if self.goals is None:
                raise NotAllowed(f"{self.name}: the account has no goals, or the key may not see them")
            yield Batch("quotas", records(self.goals, list(named.values())), {}, self.batch_facts(named), last=True)
        elif stream == "splits":
            yield from splits.pull(self)
        elif stream == "deal_history":
            yield from history.pull(self, cursor)
        elif stream == "activities":
            yield from activities.pull(self, cursor)
        else:
            yield from self._deals(cursor or {})

    def batch_facts(self, named: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What translate has to know: which property holds which word, the stages, the zone and the currency."""
        stages = {s["id"]: [s["status"], s["name"]] for s in self.stages}
        found = {"currency": self.facts["currency"], "zone": self.facts["zone"], "stages": stages}
        if named is not None:
            return {k: found[k] for k in ("currency", "zone")} | {"fields": dict(named)}
        found |= {"fields": self.words, "extra": self.options.extra.get("deals", [])}
        return found | {"only": self.options.only.get("deals", {})}

    def _deals(self, cursor: Mapping[str, Any]) -> Iterator[Batch]:
        named = asked(self.words, self.options)
        began = str(cursor.get("stamp") or self.began.isoformat())
        query = [("properties", ",".join(named))]
        tally: surveys.Tally | None = None
        if cursor.get("since"):
            ids: list[str] = []
            for rows in self._since(str(cursor["since"]), named, str(cursor.get("id", "0"))):
                ids += [str(row["id"]) for row in rows]
                state = {"since": cursor["since"], "stamp": began, "id": ids[-1] if ids else "0"}
                yield Batch("deals", records(rows, named), state, self._facts_for(rows))
            if "id" not in cursor:
                self._changed[str(cursor["since"])] = ids
        else:
            tally = None if "ranges" in cursor else surveys.Tally(self)  # of the whole list, or of nothing
            for rows, left in Listing(self.client, "deals", "deals", query, PAGE).read(cursor.get("ranges")):
                if tally is not None:
                    tally.add(rows)
                    tally.spoilt |= bool(left) and left[0][1] == "page"  # by position: a deal may come twice
                state = {"since": "", "stamp": began, "ranges": left}
                yield Batch("deals", records(rows, named), state, self._facts_for(rows))
        # Searches never show archived deals; they stay in this list for about ninety days.
        gone = self.client.rows(
            "archived deals", "objects", [("limit", str(PAGE)), ("archived", "true"), *query], "deals"
        )
        if tally is not None:
            tally.end(gone)
            self.tally = tally
        facts = self._facts_for(gone)
        yield Batch("deals", records(gone, named), {"since": began}, facts, last=True, checks={"archived list": began})

    def _facts_for(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What translate has to know of these deals; a stage that was made since is asked for, once."""
        stage = self.words["stage"]
        named = {str(own[stage]) for row in rows if (own := row.get("properties") or {}).get(stage)}
        unknown = named - {s["id"] for s in self.stages} - self._unknown
        if unknown:
            self.__dict__.pop("stages")  # read again where it is next needed
            self._unknown |= unknown - {s["id"] for s in self.stages}
        return self.batch_facts()

    def _since(self, moment: str, named: Sequence[str], last: str = "0") -> Iterator[list[dict[str, Any]]]:
        """Deals that changed since a moment, less the overlap by which the search index lags behind."""
        low = datetime.fromisoformat(moment) - timedelta(minutes=self.options.overlap_minutes)
        changed = since(self.words["modified_at"], int(low.timestamp() * 1000))
        return walk(self.client, "changed deals", "deals", [changed], named, last)

    def changed_ids(self, moment: str) -> list[str]:
        """The deals that changed since a moment; those that this run has read already are not searched again."""
        if moment not in self._changed:
            self._changed[moment] = [str(row["id"]) for rows in self._since(moment, []) for row in rows]
        return self._changed[moment]

    def by_id(
        self, ids: Sequence[str], what: str, named: Sequence[str], with_history: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Deals by their ids; those that are gone do not come. BadAnswer when one is left out without a word."""
        merged = self.words.get("merged")
        body = {
            "inputs": [{"id": i} for i in ids],
            "properties": [*named, *([merged] if merged else [])],
            "propertiesWithHistory": list(with_history),
        }
        answer = self.client.call(what, "read", body=body, kind="deals")
        lost = self.gone(what, answer)
        rows = proven_list(f"{self.name}: {what}", answer.body, "results")
        found = {str(row["id"]): row for row in rows}  # a merged id answers with its survivor
        survived = {i for row in rows for i in str((row.get("properties") or {}).get(merged) or "").split(";")}
        self.every(what, ids, {*found, *lost, *survived})
        return list(found.values())

    def every(self, what: str, ids: Sequence[str], told: Set[str]) -> None:
        """BadAnswer unless a batch tells of every id that it was asked for."""
        missing = sorted(set(ids) - told)
        if missing:
            raise BadAnswer(f"{self.name}: {what}: nothing was said of {len(missing)} of {len(ids)} records, such as "
                            f"{missing[0]}; try again later")  # fmt: skip

    def gone(self, what: str, answer: Answer) -> set[str]:
        """The ids of records that a batch says are gone; BadAnswer when anything else went wrong with some of it."""
        errors = answer.body.get("errors") or [] if isinstance(answer.body, Mapping) else []
        other = [e for e in errors if e.get("category") not in MISSING]
        if other:
            raise BadAnswer(
                f"{self.name}: {what}: {len(other)} rows did not come ({str(other[0].get('message', ''))[:120]}); try "
                "again later"
            )
        named = [(e.get("context") or {}).get(key) or [] for e in errors for key in ("ids", "id")]
        return {str(i) for ids in named for i in ids}

    def survey(self, stream: str) -> list[Part] | None:
        """How many live deals there are by the portal's own count."""
        return surveys.survey(self, stream)

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """The whole list, or the deals that close in the part, so that what is known and does not come is gone."""
        named, self.tally = asked(self.words, self.options), None  # what is read anew is added up anew
        if part.first_day is not None and part.end_day is not None:
            yield from self._closing(stream, part.first_day, part.end_day, named, known)
            return
        for rows, _ in Listing(self.client, "deals, checked", "deals", [("properties", ",".join(named))], PAGE).read():
            yield Batch(stream, records(rows, named), {}, self._facts_for(rows))

    def _closing(
        self, stream: str, first: date, end: date, named: Sequence[str], known: Sequence[str]
    ) -> Iterator[Batch]:
        zone = ZoneInfo(self.facts["zone"])
        low, high = (int(datetime.combine(d, time(), zone).astimezone(UTC).timestamp() * 1000) for d in (first, end))
        seen: set[str] = set()
        filters = [between(self.words["close_day"], low, high)]
        for rows in walk(self.client, "deals by close date", "deals", filters, named):
            seen |= {str(row["id"]) for row in rows}
            yield Batch(stream, records(rows, named), {}, self._facts_for(rows))
        elsewhere = sorted(set(known) - seen)
        for start in range(0, len(elsewhere), PAGE):
            rows = self.by_id(elsewhere[start : start + PAGE], "deals looked for", named)
            yield Batch(stream, records(rows, named), {}, self._facts_for(rows))

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words."""
        return translate(batch)

    def remap(self, batch: Batch) -> Batch:
        """A landed batch with today's field map; what the portal said of itself stays as it was said then."""
        if batch.stream not in WORDS:
            return batch
        only = self.options.only.get(batch.stream, {})
        extra = self.options.extra.get(batch.stream, [])
        found = mapped_anew(self.name, batch, words(batch.stream, self.options), only, extra)
        return replace(found, facts={**found.facts, "extra": extra})

    def publish(self, figures: Sequence[Figure]) -> list[Outcome]:
        """Write figures to the scorecard object; SourceError unless write_back is enabled."""
        if not self.options.write_back.enabled:
            raise SourceError(f"{self.name}: write_back is off; set write_back.enabled = true to write scorecards")
        return publish(self, figures)

    def totals(
        self, spans: Sequence[tuple[date, date]], lately: Sequence[tuple[date, date]] = ()
    ) -> list[SourceTotalDraft]:
        """The portal's totals of live deals; HubSpot has no sum to ask for, so they are added up from searches."""
        return surveys.totals(self, spans, lately)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()
