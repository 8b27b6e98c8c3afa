"""python -m metrics prints docs/metrics.md: every metric from its own registration, so that the page cannot drift."""

import sys
from typing import Any

from metrics.catalogue import METRICS
from models.profile import Profile

HEAD = """# Metrics

Made by `python -m metrics > docs/metrics.md`; a test fails when it is stale. A figure is a value or a state with its
reason; unknown is never 0. Money is in the installation's reporting currency, at the rate of each close date.
"""
TAIL = """
## Not computed, and why

- **Balance of feedback given and received, and days until an answer**: both need to know who wrote what and when, and
  that is not kept (docs/adr/0004). A figure that needs it would undo the promise made to those who wrote.
- **Anything that ranks people, or says who may leave**: nobody's figure is compared with a colleague's.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for metric in METRICS.values():
        parts.append(
            f"## {metric.label} (`{metric.key}`)\n\n{(metric.compute.__doc__ or '').strip()}\n\n"
            f"| | |\n| --- | --- |\n| formula | {metric.definition} |\n| unit | {metric.unit} |\n"
            f"| better when | {metric.better} |\n| states | {', '.join(metric.states)} |\n"
            f"| defined by | {metric.reference} |\n"
            f"| read from | {', '.join(metric.sources)} |\n"
            + (
                f"| set by the profile | {', '.join(map(_parameter, metric.parameters))} |\n"
                if metric.parameters
                else ""
            )
            + f"| formula version | {metric.version} |\n"
        )
    return "\n".join([*parts, TAIL.lstrip("\n")])


def _parameter(path: str) -> str:
    """A parameter with what it is where a profile says nothing."""
    first, _, rest = path.partition(".")
    usual: Any = Profile.model_fields[first].default
    if rest:
        usual = getattr(usual, rest)
    shown = ", ".join(map(str, usual)) if isinstance(usual, tuple) else str(usual)
    return f"`{path}` ({shown or 'none'})"


if __name__ == "__main__":
    sys.stdout.write(page())
