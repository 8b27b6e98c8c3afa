"""The canonical nouns as tables, one subject a file, with money, periods and frames. Imports nothing else of ours."""

from models.access import Account, AuditEvent, Session
from models.checkin import CheckIn
from models.crm import Deal, DealChange, DealSplit, ExchangeRate, Quota, QuotaChange, Stage
from models.feedback import Feedback, FeedbackRequest
from models.growth import LearningItem, Obstacle, Relationship
from models.identity import Identity
from models.ledger import Connection, Lease, Reject, Schedule, SourceTotal, StreamCursor, StreamRun, SyncRun
from models.movement import Leaver, RoleChange, Vacancy
from models.objective import KeyResult, Objective, ObjectiveUpdate
from models.people import Employment, Person, ReportingLine, Team, TeamMembership, WorkingGroupMembership
from models.period import Period
from models.snapshot import ScorecardSnapshot

__all__ = [
    "Account",
    "AuditEvent",
    "CheckIn",
    "Connection",
    "Deal",
    "DealChange",
    "DealSplit",
    "Employment",
    "ExchangeRate",
    "Feedback",
    "FeedbackRequest",
    "Identity",
    "KeyResult",
    "LearningItem",
    "Lease",
    "Leaver",
    "Objective",
    "ObjectiveUpdate",
    "Obstacle",
    "Period",
    "Person",
    "Quota",
    "QuotaChange",
    "Reject",
    "Relationship",
    "ReportingLine",
    "RoleChange",
    "Schedule",
    "ScorecardSnapshot",
    "Session",
    "SourceTotal",
    "Stage",
    "StreamCursor",
    "StreamRun",
    "SyncRun",
    "Team",
    "TeamMembership",
    "Vacancy",
    "WorkingGroupMembership",
]
