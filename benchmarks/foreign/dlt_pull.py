"""dlt's REST source reads users and opportunities into DuckDB, as its handbook writes it; changes by SystemModstamp."""

import argparse
import json
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.rest_api import rest_api_source

VERSION = "services/data/v66.0"


def table(name: str, fields: list[str]) -> dict[str, Any]:
    """One object: every field asked for, rows changed since the last run, merged by their id."""
    soql = f"SELECT {', '.join(fields)} FROM {name} WHERE SystemModstamp >= {{incremental.start_value}}"
    return {
        "name": name.lower(),
        "primary_key": "Id",
        "write_disposition": "merge",
        "endpoint": {
            "path": f"{VERSION}/queryAll",
            "params": {"q": soql + " ORDER BY SystemModstamp, Id"},
            "data_selector": "records",
            "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
            "incremental": {"cursor_path": "SystemModstamp", "initial_value": "2000-01-01T00:00:00.000+0000"},
        },
    }


def main() -> None:
    """Run the pipeline once; prints how many rows came, by table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("fields", help="JSON: object to its fields")
    given = parser.parse_args()
    sign_in = OAuth2ClientCredentials(
        access_token_url=f"{given.address}/services/oauth2/token",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
    )
    source = rest_api_source(
        {
            "client": {"base_url": given.address, "auth": sign_in},
            "resources": [table(name, fields) for name, fields in json.loads(given.fields).items()],
        }
    )
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(given.folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(given.folder / "store.duckdb")),
        dataset_name="crm",
    )
    pipeline.run(source)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    with pipeline.sql_client() as client:
        kept = {
            name: client.execute_sql(f"SELECT count(*), count(DISTINCT id) FROM {name}")[0]
            for name in ("user", "opportunity")
        }
        live = client.execute_sql("SELECT count(*) FROM opportunity WHERE NOT is_deleted")[0][0]
    print(json.dumps({"read": counts, "kept": kept, "live": live}))


main()
