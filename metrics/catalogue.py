"""Imports every module that registers metrics, in the order of docs/metrics.md: whoever needs METRICS imports this."""

from metrics import quota  # isort: split

from metrics import elapsed  # isort: split

from metrics import pipeline  # isort: split

from metrics import forecast  # isort: split

from metrics import deals  # isort: split

from metrics import movement  # isort: split

from metrics import stages  # isort: split

from metrics import activity  # isort: split

from metrics import development  # isort: split

from metrics import upkeep  # isort: split

from metrics import feedback  # isort: split

from metrics import obstacles
from metrics.registry import METRICS

__all__ = [
    "METRICS",
    "activity",
    "deals",
    "development",
    "elapsed",
    "feedback",
    "forecast",
    "movement",
    "obstacles",
    "pipeline",
    "quota",
    "stages",
    "upkeep",
]
