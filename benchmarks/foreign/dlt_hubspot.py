"""dlt's REST source reads owners and deals of the pretend portal into DuckDB, as its handbook writes it."""

import argparse
import json
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

PROPERTIES = "dealname,amount,deal_currency_code,dealstage,pipeline,closedate,hubspot_owner_id,hs_lastmodifieddate"


def table(name: str, path: str, **params: Any) -> dict[str, Any]:
    """One kind of record, page by page, merged by its id."""
    return {
        "name": name,
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {
            "path": path,
            "params": {"limit": 100, **params},
            "data_selector": "results",
            "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
        },
    }


def main() -> None:
    """Run the pipeline once; prints what is in the store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("token")
    given = parser.parse_args()
    source = rest_api_source(
        {
            "client": {"base_url": given.address, "auth": {"type": "bearer", "token": given.token}},
            "resources": [
                table("owners", "crm/v3/owners"),
                table("deals", "crm/v3/objects/deals", properties=PROPERTIES),
            ],
        }
    )
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(given.folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(given.folder / "store.duckdb")),
        dataset_name="crm",
    )
    pipeline.run(source)
    with pipeline.sql_client() as client:
        kept = {
            name: client.execute_sql(f"SELECT count(*), count(DISTINCT id) FROM {name}")[0]
            for name in ("owners", "deals")
        }
        money = client.execute_sql("SELECT sum(TRY_CAST(properties__amount AS DECIMAL(38, 4))) FROM deals")[0][0]
    print(json.dumps({"kept": kept, "money": str(money)}))


main()
