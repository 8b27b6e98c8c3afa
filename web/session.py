"""Signing in: local accounts, sessions that can be revoked, and a brake on guessing."""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import Connection, select, update

from models import Account, Session
from models.access import Role
from models.base import core, new_id

LASTS = timedelta(hours=12)
TOO_MANY_PER_EMAIL = RateLimitItemPerMinute(5, 15)
TOO_MANY_PER_ADDRESS = RateLimitItemPerMinute(30, 15)

HASHER = PasswordHasher()  # argon2id
# Compared against when the e-mail is unknown, so that the answer takes as long as for a known one.
DECOY = HASHER.hash(secrets.token_urlsafe(16))
# Each hash takes 64 MiB: two at a time, however many knock.
DOOR = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class SignedIn:
    """A session that holds: whose it is, and the token that its forms carry."""

    digest: str
    csrf: str
    account_id: str
    email: str
    role: str
    person_id: str | None


def create_account(connection: Connection, email: str, password: str, role: str, person_id: str | None) -> str:
    """Store a sign-in for a person (or for nobody in particular, such as ops); answers the account's id."""
    row = {
        "id": new_id(),
        "email": tidy(email),
        "role": Role(role).value,
        "person_id": person_id,
        "password_hash": HASHER.hash(password),
        "disabled": False,
    }
    connection.execute(core(Account).insert(), [row])
    return str(row["id"])


def tidy(email: str) -> str:
    """An e-mail as it is stored and compared."""
    return email.strip().casefold()


def check_password(connection: Connection, email: str, password: str) -> str | None:
    """The account's id if e-mail and password belong together and the account is not disabled."""
    table = core(Account).c
    row = connection.execute(
        select(table.id, table.password_hash, table.disabled).where(table.email == tidy(email))
    ).first()
    with DOOR:
        try:
            HASHER.verify(row.password_hash if row else DECOY, password)
        except (VerificationError, InvalidHashError):
            return None
    if row is None or row.disabled:
        return None
    if HASHER.check_needs_rehash(row.password_hash):
        with DOOR:
            fresh = HASHER.hash(password)
        connection.execute(update(core(Account)).where(table.id == row.id).values(password_hash=fresh))
    return str(row.id)


def digest(token: str) -> str:
    """What is stored in place of a token: somebody with the database cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: Connection, account_id: str, now: datetime, before: str | None = None) -> str:
    """Start a session and answer its token; a session that the browser brought along ends."""
    if before:
        revoke(connection, digest(before), now)
    token = secrets.token_urlsafe(32)
    row = {
        "token_digest": digest(token),
        "account_id": account_id,
        "csrf": secrets.token_urlsafe(24),
        "created_at": now,
        "expires_at": now + LASTS,
        "revoked_at": None,
    }
    connection.execute(core(Session).insert(), [row])
    return token


def revoke(connection: Connection, token_digest: str, now: datetime) -> None:
    """End a session; it is kept, so that the log still knows it was there."""
    table = core(Session)
    here = (table.c.token_digest == token_digest, table.c.revoked_at.is_(None))
    connection.execute(update(table).where(*here).values(revoked_at=now))


def find(connection: Connection, token: str | None, now: datetime) -> SignedIn | None:
    """The session behind a token, unless it ended, was revoked, or its account was disabled since."""
    if not token:
        return None
    sessions, accounts = core(Session).c, core(Account).c
    query = (
        select(sessions.token_digest, sessions.csrf, accounts.id, accounts.email, accounts.role, accounts.person_id)
        .join_from(core(Session), core(Account), accounts.id == sessions.account_id)
        .where(sessions.token_digest == digest(token), sessions.revoked_at.is_(None), sessions.expires_at > now)
        .where(accounts.disabled.is_(False))
    )
    row = connection.execute(query).first()
    return None if row is None else SignedIn(*row)


class Brake:
    """Slows down guessing: so many wrong passwords per e-mail and per address, then a pause."""

    def __init__(
        self, per_email: RateLimitItem = TOO_MANY_PER_EMAIL, per_address: RateLimitItem = TOO_MANY_PER_ADDRESS
    ) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._per_email, self._per_address = per_email, per_address

    def engaged(self, email: str, address: str) -> bool:
        """Whether this e-mail or this address has to wait."""
        return not (
            self._limiter.test(self._per_email, "email", tidy(email))
            and self._limiter.test(self._per_address, "address", address)
        )

    def wrong(self, email: str, address: str) -> None:
        """Count a wrong answer."""
        self._limiter.hit(self._per_email, "email", tidy(email))
        self._limiter.hit(self._per_address, "address", address)

    def right(self, email: str) -> None:
        """A right answer clears the e-mail's count, never the address's."""
        self._limiter.clear(self._per_email, "email", tidy(email))
