"""Enough SOQL to be honest: fields, aggregates, conditions, grouping, order, limit; wrong names fail as documented."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from itertools import repeat
from operator import ge, gt, itemgetter, le, lt
from typing import Any

Record = Mapping[str, Any]
Test = Callable[[Record], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<day>\d{4}-\d\d-\d\d)|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
AGGREGATES = {"SUM", "COUNT", "MAX", "MIN", "CALENDAR_YEAR", "CALENDAR_MONTH"}
ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class SoqlError(Exception):
    """A query that is refused: the code and message that the service documents."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


@dataclass
class Query:
    """A parsed query."""

    select: list[tuple[str, str, str]] = field(default_factory=list)  # function, field, alias
    table: str = ""
    where: Test | None = None
    group: list[tuple[str, str]] = field(default_factory=list)  # function, field
    order: list[tuple[str, bool]] = field(default_factory=list)  # field, descending
    limit: int | None = None

    @property
    def aggregate(self) -> bool:
        """Whether the answer is AggregateResult rows."""
        return bool(self.group) or any(f in ("SUM", "MAX", "MIN") or (f == "COUNT" and n) for f, n, _ in self.select)


class Parser:
    """Reads one query; `fields` are the names that its object has."""

    def __init__(self, text: str, objects: Mapping[str, Iterable[str]]) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: {text[at : at + 20]!r}")
            self.tokens.append((match.lastgroup or "", match[match.lastgroup or ""]))
            at = match.end()
        self.at, self.text = 0, text
        self.objects = objects
        self.fields: set[str] = set()

    def refused(self, code: str, message: str) -> SoqlError:
        """A refusal as the service words it: with the query, a mark under the place, and then what is wrong."""
        return SoqlError(code, f"\n{self.text}\n       ^\nERROR at Row:1:Column:8\n{message}")

    def peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        if self.at >= len(self.tokens):
            raise SoqlError("MALFORMED_QUERY", "unexpected end of query")
        word = self.tokens[self.at][1]
        if expected and word.upper() != expected:
            raise SoqlError("MALFORMED_QUERY", f"expecting {expected}, found {word!r}")
        self.at += 1
        return word

    def maybe(self, word: str) -> bool:
        if self.peek() == word:
            self.at += 1
            return True
        return False

    def parse(self) -> Query:
        """The whole query."""
        query = Query()
        self.take("SELECT")
        items = [self.item()]
        while self.maybe(","):
            items.append(self.item())
        self.take("FROM")
        query.table = self.take()
        if query.table not in self.objects:
            raise self.refused("INVALID_TYPE", f"sObject type '{query.table}' is not supported.")
        self.fields = set(self.objects[query.table])
        query.select = [(f, self.known(n, query.table) if n else "", a) for f, n, a in items]
        if self.maybe("WHERE"):
            query.where = self.either(query.table)
        if self.maybe("GROUP"):
            self.take("BY")
            query.group = [self.grouped(query.table)]
            while self.maybe(","):
                query.group.append(self.grouped(query.table))
        if self.maybe("ORDER"):
            self.take("BY")
            query.order = [self.ordered(query.table)]
            while self.maybe(","):
                query.order.append(self.ordered(query.table))
        if self.maybe("LIMIT"):
            query.limit = int(self.take())
        if self.at != len(self.tokens):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {self.take()!r}")
        return query

    def item(self) -> tuple[str, str, str]:
        name = self.take()
        function = ""
        if name.upper() in AGGREGATES and self.maybe("("):
            function, name = name.upper(), "" if self.peek() == ")" else self.take()
            self.take(")")
        alias = self.take() if self.peek() not in (",", "FROM") else ""
        return function, name, alias

    def grouped(self, table: str) -> tuple[str, str]:
        function, name, _ = self.item_in_group()
        return function, self.known(name, table)

    def item_in_group(self) -> tuple[str, str, str]:
        name = self.take()
        if name.upper() in AGGREGATES and self.maybe("("):
            function, name = name.upper(), self.take()
            self.take(")")
            return function, name, ""
        return "", name, ""

    def ordered(self, table: str) -> tuple[str, bool]:
        name = self.known(self.take(), table)
        descending = self.maybe("DESC")
        if not descending:
            self.maybe("ASC")
        if self.maybe("NULLS"):
            self.take()
        return name, descending

    def known(self, name: str, table: str) -> str:
        if name not in self.fields:
            message = (
                f"No such column '{name}' on entity '{table}'. If you are attempting to use a custom field, be sure "
            )
            raise self.refused("INVALID_FIELD", message + "to append the '__c' after the custom field name.")
        return name

    def either(self, table: str) -> Test:
        tests = [self.both(table)]
        while self.maybe("OR"):
            tests.append(self.both(table))
        return reduce(lambda one, two: lambda r: one(r) or two(r), tests)

    def both(self, table: str) -> Test:
        tests = [self.single(table)]
        while self.maybe("AND"):
            tests.append(self.single(table))
        return reduce(lambda one, two: lambda r: one(r) and two(r), tests)

    def single(self, table: str) -> Test:
        if self.maybe("NOT"):
            inner = self.single(table)
            return lambda r: not inner(r)
        if self.maybe("("):
            inner = self.either(table)
            self.take(")")
            return inner
        name = self.known(self.take(), table)
        sign = self.take().upper()
        if sign in ("IN", "NOT"):
            inside = sign == "IN" or bool(self.take("IN"))
            self.take("(")
            values = {self.value()}
            while self.maybe(","):
                values.add(self.value())
            self.take(")")
            wanted = sign == "IN" and inside
            return lambda r: (r.get(name) in values) is wanted
        return _compare(name, sign, self.value())

    def value(self) -> Any:
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if kind == "moment":
            return datetime.fromisoformat(word)
        if kind == "day":
            return date.fromisoformat(word)
        if kind == "number":
            return Decimal(word)
        words = {"NULL": None, "TRUE": True, "FALSE": False}
        if word.upper() in words:
            return words[word.upper()]
        raise SoqlError("MALFORMED_QUERY", f"unexpected value {word!r}")


def _compare(name: str, sign: str, wanted: Any) -> Test:
    if sign == "=":
        return lambda r: r.get(name) == wanted
    if sign in ("!=", "<>"):
        return lambda r: r.get(name) != wanted
    if sign not in ORDERS:
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: {sign!r}")
    test = ORDERS[sign]
    return lambda r: (value := r.get(name)) is not None and test(value, wanted)


def run(query: Query, records: Sequence[Record]) -> list[Record]:
    """The records or aggregate rows that a query finds, in its order."""
    found = [r for r in records if query.where is None or query.where(r)]
    if query.aggregate:
        found = _groups(query, found)
    if len({descending for _, descending in query.order}) == 1:
        by = itemgetter(*(name for name, _ in query.order))
        with suppress(KeyError, TypeError):  # a blank: sorted field by field, then
            return sorted(found, key=by, reverse=query.order[0][1])[: query.limit]
    for name, descending in reversed(query.order):
        known = [r for r in found if r.get(name) is not None]
        blank = [r for r in found if r.get(name) is None]
        known = sorted(known, key=lambda r: r[name], reverse=descending)
        found = [*known, *blank] if descending else [*blank, *known]
    return found if query.limit is None else found[: query.limit]


def _groups(query: Query, records: list[Record]) -> list[Record]:
    groups: dict[tuple[Any, ...], list[Record]] = {}
    columns = [_column(function, name, records) for function, name in query.group]
    for key, record in zip(zip(*columns, strict=True) if columns else repeat(()), records, strict=False):
        groups.setdefault(key, []).append(record)
    if not query.group:
        groups.setdefault((), [])
    rows: list[Record] = []
    for key, members in groups.items():
        row: dict[str, Any] = {}
        for index, (function, name, alias) in enumerate(query.select):
            if (function, name) in query.group:
                row[alias or (name if not function else f"expr{index}")] = key[query.group.index((function, name))]
                continue
            values = [v for m in members if (v := m.get(name)) is not None]
            row[alias or f"expr{index}"] = _aggregate(function, values)
        rows.append(row)
    return rows


def _column(function: str, name: str, records: list[Record]) -> list[Any]:
    values = [r.get(name) for r in records]
    if function == "CALENDAR_YEAR":
        return [v and v.year for v in values]
    return [v and v.month for v in values] if function else values


def _aggregate(function: str, values: list[Any]) -> Any:
    if function == "COUNT":
        return len(values)
    if not values:
        return None
    return {"SUM": lambda: sum(values[1:], values[0]), "MAX": lambda: max(values), "MIN": lambda: min(values)}[
        function
    ]()
