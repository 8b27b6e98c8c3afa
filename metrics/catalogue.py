"""Imports every module that registers metrics: whoever needs METRICS filled imports this."""

from metrics import development, feedback, pipeline, quota
from metrics.registry import METRICS

__all__ = ["METRICS", "development", "feedback", "pipeline", "quota"]
