"""`beyond-quota sync` up to the rows in the store, proven against the org, without the scorecards that follow."""

import json
from pathlib import Path

from beyond_quota.wiring import Installation

report = Installation.open(Path("beyond-quota.toml")).sync("crm")
print(json.dumps({"runs": [{"streams": [{"stream": s.stream, "read": s.read} for s in report.streams]}]}))
