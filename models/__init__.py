"""The canonical nouns as tables, one subject a file, with money, periods and frames. Imports nothing else of ours."""

from models.absence import Absence
from models.access import Account, AuditEvent, Session
from models.career import Dossier, ReadyConsent
from models.checkin import CheckIn, CheckInAction, CheckInChange, CheckInNote, PrivateNote
from models.crm import (
    ActivityCount,
    Deal,
    DealChange,
    DealFieldHistory,
    DealHistory,
    DealSplit,
    ExchangeRate,
    Quota,
    QuotaChange,
    Stage,
)
from models.crm_settings import FiscalPeriod, Role, Territory, TerritoryMember
from models.feedback import Feedback, FeedbackRequest
from models.growth import LearningItem, Obstacle, Relationship
from models.identity import Identity
from models.ledger import (
    Connection,
    Lease,
    Publication,
    Reject,
    Schedule,
    SourceTotal,
    StreamCursor,
    StreamRun,
    SyncRun,
)
from models.movement import Leaver, RoleChange, Vacancy
from models.objective import KeyResult, Objective, ObjectiveUpdate
from models.people import Employment, Person, ReportingLine, Team, TeamMembership, WorkingGroupMembership
from models.period import CalendarVersion, Period
from models.profile_version import ProfileVersion
from models.snapshot import ScorecardSnapshot
from models.watch import Alert, Heartbeat, MissedSlot

__all__ = [
    "Absence",
    "Account",
    "ActivityCount",
    "Alert",
    "AuditEvent",
    "CalendarVersion",
    "CheckIn",
    "CheckInAction",
    "CheckInChange",
    "CheckInNote",
    "Connection",
    "Deal",
    "DealChange",
    "DealFieldHistory",
    "DealHistory",
    "DealSplit",
    "Dossier",
    "Employment",
    "ExchangeRate",
    "Feedback",
    "FeedbackRequest",
    "FiscalPeriod",
    "Heartbeat",
    "Identity",
    "KeyResult",
    "LearningItem",
    "Lease",
    "Leaver",
    "MissedSlot",
    "Objective",
    "ObjectiveUpdate",
    "Obstacle",
    "Period",
    "Person",
    "PrivateNote",
    "ProfileVersion",
    "Publication",
    "Quota",
    "QuotaChange",
    "ReadyConsent",
    "Reject",
    "Relationship",
    "ReportingLine",
    "Role",
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
    "Territory",
    "TerritoryMember",
    "Vacancy",
    "WorkingGroupMembership",
]
