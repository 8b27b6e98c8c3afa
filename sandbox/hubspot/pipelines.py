"""The deal pipelines of the pretend portal, and what follows of a deal from its stage."""

from typing import Any

STAGES = {
    "appointment": ("Appointment", False, "0.2", "default"),
    "decisionmaker": ("Decision maker in", False, "0.5", "default"),
    "contractsent": ("Contract sent", False, "0.8", "default"),
    "closedwon": ("Closed won", True, "1.0", "default"),
    "closedlost": ("Closed lost", True, "0.0", "default"),
    "70010001": ("Renewal due", False, "0.6", "70010000"),
    "70010002": ("Renewed", True, "1.0", "70010000"),
    "70010003": ("Lapsed", True, "0.0", "70010000"),
}
"""Stage id to its label, whether it closes a deal, its probability and its pipeline."""

PIPELINES = {"default": "Sales pipeline", "70010000": "Renewals"}
OPEN, WON, LOST = (
    ("appointment", "decisionmaker", "contractsent", "70010001"),
    ("closedwon", "70010002"),
    ("closedlost", "70010003"),
)


def pipelines() -> list[dict[str, Any]]:
    """The deal pipelines as the API gives them; metadata values are strings."""
    began = "1970-01-01T00:00:00.000Z"  # the ones that every portal is made with
    dates = {"createdAt": began, "updatedAt": began, "archived": False}
    found = []
    for order, (key, label) in enumerate(PIPELINES.items()):
        stages = [
            {"id": s, "label": name, "displayOrder": n, **dates,
             "metadata": {"isClosed": str(closed).lower(), "probability": p}}
            for n, (s, (name, closed, p, pipeline)) in enumerate(STAGES.items()) if pipeline == key
        ]  # fmt: skip
        found.append({"id": key, "label": label, "displayOrder": order, "stages": stages, **dates})
    return found


def set_stage(stage: str) -> dict[str, str | None]:
    """The properties that follow from a stage."""
    _, closed, probability, pipeline = STAGES[stage]
    won = closed and probability == "1.0"
    return {"dealstage": stage, "pipeline": pipeline, "hs_is_closed": str(closed).lower(), "hs_is_closed_won": str(won).lower(),
            "hs_is_closed_lost": str(closed and not won).lower(), "hs_deal_stage_probability": probability,
            "hs_manual_forecast_category": "CLOSED" if won else ("OMIT" if closed else "PIPELINE")}  # fmt: skip
