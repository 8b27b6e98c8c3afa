"""python -m metrics prints docs/metrics.md: every metric from its own registration, so that the page cannot drift."""

import sys

from metrics.catalogue import METRICS

HEAD = """# Metrics

Made by `python -m metrics > docs/metrics.md`; a test fails when it is stale. A figure is a value or a state with its
reason; unknown is never 0. Money is in the installation's reporting currency, at the rate of each close date.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for metric in METRICS.values():
        parts.append(
            f"## {metric.label} (`{metric.key}`)\n\n{(metric.compute.__doc__ or '').strip()}\n\n"
            f"| | |\n| --- | --- |\n| formula | {metric.definition} |\n| unit | {metric.unit} |\n"
            f"| better when | {metric.better} |\n| states | {', '.join(metric.states)} |\n"
            f"| read from | {', '.join(metric.sources)} |\n| formula version | {metric.version} |\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
