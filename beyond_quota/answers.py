"""How commands answer: exit codes, and facts as JSON."""

import json
from typing import Any

import typer

DONE, FAILED, USAGE, PARTIAL, LOCKED = 0, 1, 2, 3, 4
"""Done, failed, wrong use, partly done, running elsewhere."""


def show(facts: Any) -> None:
    """Print facts as JSON."""
    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=str))
