"""The single index, for groups that want one: fixed goalposts, dated weights, parts that sum to it exactly."""

from collections.abc import Mapping
from math import exp, fsum, log

from metrics.result import Result, State
from metrics.scorecard import Blend, Contribution
from models.profile import BlendRule

ENOUGH = 0.6
"""Under this share of the weight present there is no score, only its parts."""


SWING = 0.25
"""How far each weight is moved to see how much the score depends on it."""


def blend(results: Mapping[str, Result], rule: BlendRule) -> Blend:
    """Blend figures by a profile's rule: weighted mean of what is present; unknown is shown as missing, never as 0.

    A part that does not apply (quota met: nothing left to cover) is left out without penalty. `low` and `high` say
    what the score would be with everything missing at 0 and at 100. Source: metrics reference §5.
    """
    weights = {key: part.weight for key, part in rule.parts.items()}
    applies = {k: w for k, w in weights.items() if k not in results or results[k].state is not State.QUOTA_MET}
    total = fsum(applies.values())
    values = {k: _normalised(results.get(k), rule.parts[k].low, rule.parts[k].high) for k in weights}
    present = {k: w for k, w in applies.items() if values[k] is not None}
    share = fsum(present.values()) / total if total else 0.0
    scored = share >= ENOUGH
    contributions = tuple(
        Contribution(
            metric=key,
            label=results[key].label if key in results else key,
            normalised=values[key],
            weight=weight,
            contribution=(values[key] or 0.0) * weight / fsum(present.values()) if scored and key in present else None,
            reason=_reason(results.get(key)),
        )
        for key, weight in weights.items()
    )
    known = fsum((values[k] or 0.0) * w for k, w in present.items())
    missing = fsum(w for k, w in applies.items() if k not in present)
    return Blend(
        score=fsum(c.contribution for c in contributions if c.contribution is not None) if scored else None,
        present_weight=share,
        low=known / total if total else 0.0,
        high=(known + 100 * missing) / total if total else 0.0,
        contributions=contributions,
        reason="" if scored else f"Only {share:.0%} of the weight is known; from {ENOUGH:.0%} on there is a score.",
        sensitivity=_sensitivity(values, present) if scored else None,
    )


def _sensitivity(values: Mapping[str, float | None], present: Mapping[str, float]) -> tuple[float, float]:
    """The least and the most that the score would be with any one weight a quarter smaller or larger, or multiplied.

    The multiplied (geometric) mean does not let one part make up for another; with a part at 0 it is 0.
    Source: metrics reference §5, robustness.
    """
    scores = [_geometric(values, present), _mean(values, present)]
    for key in present:
        scores += [_mean(values, {**present, key: present[key] * change}) for change in (1 - SWING, 1 + SWING)]
    return min(scores), max(scores)


def _mean(values: Mapping[str, float | None], weights: Mapping[str, float]) -> float:
    return fsum((values[k] or 0.0) * w for k, w in weights.items()) / fsum(weights.values())


def _geometric(values: Mapping[str, float | None], weights: Mapping[str, float]) -> float:
    counted = {k: w for k, w in weights.items() if w > 0}
    if any((values[k] or 0.0) <= 0 for k in counted):
        return 0.0
    return exp(fsum(log(values[k] or 1.0) * w for k, w in counted.items()) / fsum(counted.values()))


def _normalised(result: Result | None, low: float, high: float) -> float | None:
    if result is None or result.value is None:
        return None
    return min(max((result.value - low) / (high - low), 0.0), 1.0) * 100


def _reason(result: Result | None) -> str:
    return "not computed for this group" if result is None else result.reason
