"""Leases: who may do a thing that only one process may do at a time.

A holder renews its lease in the very transaction that it writes in. One that stalled, and whose lease another took
meanwhile, finds a higher fence and writes nothing.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, or_, select, update

from models import Lease
from models.base import core, insert_into
from models.errors import UserError

KEPT_FOR = timedelta(minutes=5)


class Locked(UserError):
    """Somebody else is doing this right now; nothing was started."""


class LeaseLost(UserError):
    """Another process took over while this one stood still; nothing of this batch was written."""


@dataclass(frozen=True)
class Hold:
    """A lease in hand."""

    name: str
    holder: str
    fence: int

    def renew(self, connection: Connection, now: datetime) -> None:
        """Prove that it is still ours and keep it, inside the caller's transaction; LeaseLost when it is not."""
        table = core(Lease)
        mine = (table.c.name == self.name, table.c.holder == self.holder, table.c.fence == self.fence)
        done = connection.execute(update(table).where(*mine).values(expires_at=now + KEPT_FOR))
        if done.rowcount != 1:
            raise LeaseLost(f"{self.name}: another process took over, so this one stopped before writing")

    def release(self, engine: Engine, now: datetime) -> None:
        """Give it back at once, so that nobody has to wait for it to run out."""
        table = core(Lease)
        mine = (table.c.name == self.name, table.c.holder == self.holder, table.c.fence == self.fence)
        with engine.begin() as connection:
            connection.execute(update(table).where(*mine).values(holder="", expires_at=now))


@contextmanager
def held(engine: Engine, name: str, clock: Callable[[], datetime]) -> Iterator[Hold]:
    """Hold a lease for as long as a block runs; Locked when somebody else has it."""
    hold = take(engine, name, clock())
    try:
        yield hold
    finally:
        hold.release(engine, clock())


def in_use(connection: Connection, name: str, now: datetime, mine: Iterable[Hold] = ()) -> bool:
    """Whether somebody else holds this lease, or one whose name goes on after a colon, and is alive."""
    table, own = core(Lease), {hold.holder for hold in mine}
    named = or_(table.c.name == name, table.c.name.startswith(f"{name}:", autoescape=True))
    rows = connection.execute(select(table.c.holder).where(named, table.c.holder != "", table.c.expires_at > now))
    return any(row.holder not in own and not _dead(row.holder) for row in rows)


def take(engine: Engine, name: str, now: datetime) -> Hold:
    """Take a lease that is free, has run out, or whose holder is a dead process of this machine; else Locked."""
    table = core(Lease)
    me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    with engine.begin() as connection:
        fresh = insert_into(connection, table).values(name=name, holder="", fence=0, expires_at=now)
        connection.execute(fresh.on_conflict_do_nothing())
        row = connection.execute(select(table).where(table.c.name == name)).one()
        free = or_(table.c.holder == "", table.c.expires_at <= now)
        if row.holder and _dead(row.holder):
            free = or_(free, table.c.holder == row.holder)
        mine = (table.c.name == name, table.c.fence == row.fence, free)
        values = {"holder": me, "fence": row.fence + 1, "expires_at": now + KEPT_FOR}
        if connection.execute(update(table).where(*mine).values(**values)).rowcount != 1:
            raise Locked(
                f"{name} is held by {row.holder.rsplit(':', 1)[0]} until {row.expires_at:%H:%M:%S} UTC; try later"
            )
    return Hold(name, me, row.fence + 1)


def _dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that is gone, after a kill -9 for one."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
