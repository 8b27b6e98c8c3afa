"""Where each stream's rows are kept: the table, the columns that count as a change, and what goes into history."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

import models


@dataclass(frozen=True)
class Target:
    """A stream's table. `columns` are written and compared; `history` columns are appended to `changes` as seen."""

    table: type[SQLModel]
    columns: tuple[str, ...]
    history: tuple[str, ...] = ()
    changes: type[SQLModel] | None = None


HISTORY = (
    *("deal_external_id", "field", "old_value", "new_value", "changed_at", "changed_by_external_id", "removed_at"),
)

TARGETS: Mapping[str, Target] = {
    "people": Target(
        models.Identity,
        (
            *("name", "email", "employee_id", "federation_id", "title", "active", "manager_external_id"),
            *("role_external_id", "person_id", "state", "matched_by"),
        ),
    ),
    "roles": Target(models.Role, ("name", "parent_external_id", "removed_at")),
    "territories": Target(models.Territory, ("name", "parent_external_id", "removed_at")),
    "territory_members": Target(
        models.TerritoryMember, ("territory_external_id", "owner_external_id", "person_id", "active", "removed_at")
    ),
    "stages": Target(
        models.Stage, ("pipeline", "name", "position", "status", "probability_bp", "forecast_category", "removed_at")
    ),
    "fiscal_periods": Target(
        models.FiscalPeriod, ("kind", "label", "number", "first_day", "end_day", "fiscal_year", "removed_at")
    ),
    "rates": Target(models.ExchangeRate, ("base", "currency", "first_day", "units_per_base", "removed_at")),
    "quotas": Target(
        models.Quota,
        (
            *("owner_external_id", "team_external_id", "person_id", "first_day", "end_day", "amount_minor", "currency"),
            *("reporting_minor", "reason", "modified_at", "removed_at"),
        ),
        ("amount_minor", "currency", "first_day", "end_day", "owner_external_id"),
        models.QuotaChange,
    ),
    "deals": Target(
        models.Deal,
        (
            *("name", "account", "product", "pipeline", "stage", "status", "forecast_category", "probability_bp"),
            *("owner_external_id", "person_id", "amount_minor", "currency", "reporting_minor", "close_day"),
            *("period_id", "created_day", "modified_at", "extra", "removed_at"),
        ),
        ("owner_external_id", "stage", "status", "amount_minor", "currency", "close_day"),
        models.DealChange,
    ),
    "splits": Target(
        models.DealSplit,
        ("deal_external_id", "owner_external_id", "person_id", "share_ppm", "overlay", "removed_at"),
    ),
    "deal_history": Target(models.DealHistory, HISTORY),
    "deal_field_history": Target(models.DealFieldHistory, HISTORY),
    "activities": Target(
        models.ActivityCount,
        ("owner_external_id", "person_id", "kind", "first_day", "end_day", "number", "removed_at"),
    ),
    "objectives": Target(
        models.Objective,
        (
            *("person_id", "title", "kind", "why_it_matters", "serves", "starts_on", "due_on", "status", "shared"),
            *("weight", "updated_on", "removed_at"),
        ),
    ),
    "key_results": Target(
        models.KeyResult,
        ("objective_id", "title", "baseline", "target", "current", "weight", "measured_on", "removed_at"),
    ),
    "check_ins": Target(
        models.CheckIn,
        ("person_id", "with_person_id", "asked_by", "status", "planned_on", "held_on", "topic", "removed_at"),
    ),
    "feedback": Target(
        models.Feedback,
        ("person_id", "batch", "asked", "what_happened", "effect", "suggestion", "signed_by", "removed_at"),
    ),
    "feedback_requests": Target(
        models.FeedbackRequest, ("person_id", "about", "asked_on", "asked_of", "answered", "removed_at")
    ),
    "obstacles": Target(
        models.Obstacle,
        (
            *("person_id", "kind", "what", "effect", "who_can_remove", "opened_on", "resolved_on", "resolved_by"),
            "removed_at",
        ),
    ),
    "relationships": Target(models.Relationship, ("person_id", "who", "why", "next_contact", "removed_at")),
    "learning": Target(models.LearningItem, ("person_id", "title", "due_on", "done_on", "status", "removed_at")),
    "absences": Target(models.Absence, ("person_id", "first_day", "end_day", "relieved", "removed_at")),
    "leavers": Target(models.Leaver, ("person_id", "left_on", "reason", "regretted", "removed_at")),
}
