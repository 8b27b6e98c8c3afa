"""Alerts: one clear sentence when something changes its state, once, to each channel until the channel took it.

What is watched has a name ("worker", "source:hubspot"). A change of state is a row; (about, number) is unique, so of
two processes that see the same change one writes it. The sentence holds no secret, no person and no amount.
"""

import json
import logging
import smtplib
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy import Connection, Engine, func, select, update

from models import Alert
from models.base import core, insert_into

log = logging.getLogger(__name__)
GOOD, TIMEOUT = "fresh", 10
Sender = Callable[[str, str], None]
"""Takes a short subject and the sentence; raises OSError or SMTPException when it could not be told."""


@dataclass(frozen=True)
class Watched:
    """Something that is watched: its state now, and that state in one sentence."""

    about: str
    state: str
    sentence: str


def notice(connection: Connection, watched: list[Watched], channels: list[str], now: datetime) -> int:
    """Write down what changed its state; answers how many. What is good from the start is nobody's news."""
    table, changed = core(Alert), 0
    newest = select(table.c.about, func.max(table.c.number).label("number")).group_by(table.c.about).subquery()
    joined = select(table).join(newest, (table.c.about == newest.c.about) & (table.c.number == newest.c.number))
    before = {row.about: row for row in connection.execute(joined)}
    for item in watched:
        last = before.get(item.about)
        if (last is not None and last.state == item.state) or (last is None and item.state == GOOD):
            continue
        row = {"about": item.about, "number": last.number + 1 if last else 1, "state": item.state, "at": now}
        told = {"sentence": item.sentence, "waiting": ",".join(channels), "tries": 0, "error": ""}
        fresh = insert_into(connection, table).values(**row, **told).on_conflict_do_nothing()
        changed += connection.execute(fresh.returning(table.c.about)).first() is not None
    return changed


def send_waiting(engine: Engine, senders: Mapping[str, Sender]) -> int:
    """Tell each channel what it has not been told yet; one that fails is tried again. Answers how many were told."""
    table, told = core(Alert), 0
    with engine.connect() as connection:
        rows = connection.execute(select(table).where(table.c.waiting != "").order_by(table.c.at, table.c.about)).all()
    for row in rows:
        left, error = [], ""
        for channel in row.waiting.split(","):
            if channel not in senders:
                continue  # no longer in the settings
            try:
                senders[channel](f"Beyond Quota: {row.about} is {row.state}", row.sentence)
                told += 1
            except (OSError, smtplib.SMTPException) as problem:
                left.append(channel)
                error = f"{channel}: {type(problem).__name__}"  # the kind alone: an address may hold a secret
        same = (table.c.about == row.about, table.c.number == row.number)
        values = {"waiting": ",".join(left), "tries": row.tries + 1, "error": error}
        with engine.begin() as connection:
            connection.execute(update(table).where(*same).values(**values))
    return told


def to_log(subject: str, sentence: str) -> None:
    """The channel that is always there."""
    log.warning("%s: %s", subject, sentence)


def to_webhook(address: str) -> Sender:
    """A channel that posts {"subject", "text"} as JSON, which Slack-like services take as it is."""

    def send(subject: str, sentence: str) -> None:
        body = json.dumps({"subject": subject, "text": sentence}).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310  (the settings take http(s) only)
            pass

    return send


def to_mail(
    host: str, port: int, sender: str, to: list[str], user: str = "", password: str = "", *, tls: bool
) -> Sender:
    """A channel that sends an e-mail over SMTP."""

    def send(subject: str, sentence: str) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, sender, ", ".join(to)
        message.set_content(sentence + "\n")
        with smtplib.SMTP(host, port, timeout=TIMEOUT) as server:
            if tls:
                server.starttls()
            if user:
                server.login(user, password)
            server.send_message(message)

    return send
