"""A Salesforce org in memory: its records, its clock, and what becomes of a record that is deleted, hidden or changed."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

Record = dict[str, Any]
PREFIX = {"User": "005", "Opportunity": "006", "ForecastingQuota": "0J9", "OpportunityStage": "01J", "OpportunitySplit": "0KG",
          "OpportunitySplitType": "1C0", "ForecastingType": "0Db", "CurrencyType": "01L", "DatedConversionRate": "04w",
          "Organization": "00D",
          "UserRole": "00E", "RecordType": "012", "Period": "026", "FiscalYearSettings": "022", "OpportunityHistory": "008",
          "OpportunityFieldHistory": "017", "Event": "00U", "Task": "00T", "Territory2": "0MI",
          "UserTerritory2Association": "0JT", "Account": "001", "Sales_Target__c": "a01",
          "Beyond_Quota_Scorecard__c": "a02"}  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def make_id(kind: str, number: int) -> str:
    """An 18-character id with the right prefix and its case checksum."""
    short = f"{PREFIX[kind]}Sa0000{_base62(number):A>6}"
    checks = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, c in enumerate(short[start : start + 5]) if c.isupper())
        checks += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return short + checks


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _base62(number: int) -> str:
    out = ""
    while number:
        number, rest = divmod(number, 62)
        out = LETTERS[rest] + out
    return out


OPTIONAL = {
    "multicurrency": {"CurrencyType", "DatedConversionRate"},
    "forecasting": {"ForecastingQuota", "ForecastingType"},
    "splits": {"OpportunitySplit", "OpportunitySplitType"},
    "history": {"OpportunityFieldHistory"},
    "territories": {"Territory2", "UserTerritory2Association"},
    "record_types": {"RecordType"},
    "scorecards": {"Beyond_Quota_Scorecard__c"},
}
"""Features that an org may have switched off, and the objects that go with them."""

TRACKED = {"OwnerId": "Owner", "StageName": "StageName", "Amount": "Amount", "CloseDate": "CloseDate"}


@dataclass
class SalesforceOrg:
    """Every object of the org by name, and its own clock. `features` may be switched off, as in real orgs."""

    today: date
    rng: random.Random
    objects: dict[str, dict[str, Record]] = field(default_factory=dict)
    features: set[str] = field(default_factory=lambda: set(OPTIONAL))
    clock: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))
    numbers: int = 0
    deletions: dict[str, dict[str, datetime]] = field(default_factory=dict)  # object to ids and when they were deleted
    hidden: dict[str, Record] = field(default_factory=dict)  # records that our user may not see any more

    def now(self) -> datetime:
        """The org's own time."""
        return self.clock

    def add(self, kind: str, **fields: Any) -> Record:
        """A new record with its id and stamps."""
        self.numbers += 1
        stamp = fields.pop("SystemModstamp", self.clock)
        record = {"Id": make_id(kind, self.numbers), **fields, "SystemModstamp": stamp, "LastModifiedDate": stamp}
        self.objects.setdefault(kind, {})[record["Id"]] = record
        return record

    def change(self, record: Record, **fields: Any) -> None:
        """Change a record, as a person would: its stamp moves, and an opportunity's history tells of it."""
        before = dict(record)
        record |= fields | {"SystemModstamp": self.clock, "LastModifiedDate": self.clock}
        if record["Id"].startswith(PREFIX["Opportunity"]):
            self._tell(before, record)

    def _tell(self, before: Record, record: Record) -> None:
        common = {
            "OpportunityId": record["Id"],
            "CreatedById": record["OwnerId"],
            "CreatedDate": self.clock,
            "IsDeleted": False,
        }
        if any(before[f] != record[f] for f in ("StageName", "Amount", "CloseDate", "Probability")):
            now = {f: record[f] for f in ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory")}
            was = {"PrevAmount": before["Amount"], "PrevCloseDate": before["CloseDate"]}
            self.add("OpportunityHistory", **common, **now, **was)
        for name, shown in TRACKED.items():
            if before[name] != record[name]:
                pair = {"OldValue": _plain(before[name]), "NewValue": _plain(record[name])}
                made = self.add("OpportunityFieldHistory", **common, Field=shown, **pair)
                del made["SystemModstamp"], made["LastModifiedDate"]  # this object has neither

    def delete(self, record: Record) -> None:
        """Into the recycle bin; what has no bin is gone at once. The deletion log has it either way."""
        self.deletions.setdefault(self.kind(record), {})[record["Id"]] = self.clock
        if "IsDeleted" in record:
            record |= {"IsDeleted": True, "SystemModstamp": self.clock, "LastModifiedDate": self.clock}
        else:
            del self.objects[self.kind(record)][record["Id"]]

    def undelete(self, record: Record) -> None:
        """Out of the recycle bin; the stamp moves."""
        self.deletions[self.kind(record)].pop(record["Id"], None)
        record |= {"IsDeleted": False, "SystemModstamp": self.clock, "LastModifiedDate": self.clock}

    def hard_delete(self, record: Record) -> None:
        """Past the recycle bin: no query shows it any more, only the deletion log does."""
        kind = self.kind(record)
        self.deletions.setdefault(kind, {})[record["Id"]] = self.clock
        del self.objects[kind][record["Id"]]

    def purge(self) -> None:
        """Empty the recycle bin of what was deleted more than 15 days ago."""
        for kind, log in self.deletions.items():
            for name, when in log.items():
                if when < self.clock - timedelta(days=15) and self.objects[kind].get(name, {}).get("IsDeleted"):
                    del self.objects[kind][name]

    def hide(self, record: Record) -> None:
        """Our user may not see it any more; nothing tells of that."""
        self.hidden[record["Id"]] = self.objects[self.kind(record)].pop(record["Id"])

    def show(self, name: str) -> None:
        """Our user may see it again; its stamp does not move."""
        record = self.hidden.pop(name)
        self.objects[self.kind(record)][name] = record

    def forget_deletions(self) -> None:
        """An org whose deletion log begins now."""
        self.deletions.clear()

    @staticmethod
    def kind(record: Record) -> str:
        """The object that a record is of, by the first signs of its id."""
        return next(k for k, prefix in PREFIX.items() if record["Id"].startswith(prefix))

    @property
    def deals(self) -> list[Record]:
        """Every opportunity, deleted ones too."""
        return list(self.objects["Opportunity"].values())
