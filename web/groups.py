"""Which working group's profile a person follows today, and what they are called."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, or_, select

from models import Person, ScorecardSnapshot, WorkingGroupMembership
from models.base import core
from models.profile import Profile
from models.profile_version import in_force, stored_versions
from web.site import Missing, Reader

PLAIN = Profile.model_validate(
    {
        "key": "office",
        "title": "Office",
        "version": "2026-01-01",
        "blocks": ["development", "feedback", "check_in"],
        "metrics": [],
    }
)
"""What a group without a profile of its own gets."""


@dataclass(frozen=True)
class Whose:
    """The person a page is about, as its reader sees them."""

    id: str
    name: str
    title: str
    own: bool
    profile: Profile

    @property
    def first(self) -> str:
        """Their first name."""
        return self.name.split()[0] if self.name.split() else "this person"

    @property
    def objective(self) -> str:
        """What their group calls an objective."""
        return self.profile.word("objective", "objective")

    @property
    def check_in(self) -> str:
        """What their group calls a check-in."""
        return self.profile.word("check_in", "check-in")


def whose(connection: Connection, reader: Reader, person_id: str) -> Whose:
    """The person that a page is about; Missing when there is none."""
    people = core(Person).c
    row = connection.execute(select(people.name, people.title).where(people.id == person_id)).first()
    if row is None:
        raise Missing
    profile = profile_of(connection, reader, person_id)
    return Whose(person_id, row.name, row.title, reader.actor.person_id == person_id, profile)


def profile_of(connection: Connection, reader: Reader, person_id: str) -> Profile:
    """The profile in force for a person: their working group's, else the one that their last page was made with."""
    known = in_force(reader.site.profiles, stored_versions(connection), reader.today)
    for key in (group_of(connection, person_id, reader.today), _last(connection, person_id), "office"):
        if key in known:
            return known[key]
    return next(iter(known.values()), PLAIN)


def group_of(connection: Connection, person_id: str, day: date) -> str:
    """The working group of a person on a day; empty when none is written down."""
    groups = core(WorkingGroupMembership).c
    query = (
        select(groups.working_group)
        .where(groups.person_id == person_id, groups.from_day <= day)
        .where(or_(groups.to_day.is_(None), groups.to_day > day))
    )
    return connection.scalars(query).first() or ""


def _last(connection: Connection, person_id: str) -> str:
    cards = core(ScorecardSnapshot).c
    query = select(cards.profile).where(cards.person_id == person_id).order_by(cards.as_of.desc()).limit(1)
    words = (connection.scalars(query).first() or "").split()
    return words[0] if words else ""
