"""The same sums by others, each as its users would write it: DuckDB's SQL, Polars' lazy frames, plain pandas."""

import json
import sys

QUARTERS = 17


def duckdb_(path: str) -> dict[str, int]:
    """One statement over the file."""
    import duckdb

    keys = "person_id, (date_part('year', close_day) - 2022) * 4 + date_part('quarter', close_day) - 3 AS q"
    won, lost, live = ("status = 'won'", "status = 'lost'", "status = 'open' AND forecast_category <> 'omitted'")
    part = "round_even(credit_minor * coalesce(probability_bp, 0) / 10000, 0)"
    still = "status = 'open'"
    money, number = "coalesce(sum(credit_minor) FILTER ({}), 0)", "count(*) FILTER ({})"
    chosen = {
        "won": money.format(won), "won_deals": number.format(won),
        "won_blank": number.format(f"{won} AND credit_minor IS NULL"),
        "lost": money.format(lost), "lost_deals": number.format(lost),
        "open": money.format(live), "open_deals": number.format(live),
        "open_blank": number.format(f"{live} AND credit_minor IS NULL"),
        "weighted": f"coalesce(sum({part}) FILTER ({live}), 0)",
        **{c: money.format(f"{still} AND forecast_category = '{c}'") for c in ("commit", "best_case", "pipeline")},
    }  # fmt: skip
    inner = ", ".join(f"{sql} AS {name}" for name, sql in chosen.items())
    place = f"((dense_rank() OVER (ORDER BY person_id) - 1) * {QUARTERS} + q + 1) % 9973"
    outer = ", ".join(f"sum({name} * place)::HUGEINT" for name in chosen)
    query = (
        f"WITH sums AS (SELECT {keys}, {inner} FROM read_parquet('{path}') GROUP BY ALL), "
        f"placed AS (SELECT *, {place} AS place FROM sums) SELECT {outer} FROM placed"
    )
    return dict(zip(chosen, (int(v) for v in duckdb.sql(query).fetchall()[0]), strict=True))


def polars_(path: str) -> dict[str, int]:
    """A lazy scan, streamed."""
    import polars as pl

    c = pl.col
    live = (c("status") == "open") & (c("forecast_category") != "omitted")
    masks = {"won": c("status") == "won", "lost": c("status") == "lost", "open": live}
    sums = []
    for name, mask in masks.items():
        sums += [c("credit_minor").filter(mask).sum().alias(name), mask.sum().alias(f"{name}_deals")]
        if name != "lost":
            sums.append((mask & c("credit_minor").is_null()).sum().alias(f"{name}_blank"))
    weighted = (c("credit_minor") * c("probability_bp").fill_null(0) / 10000).round(0, mode="half_to_even")
    sums.append(weighted.filter(live).sum().cast(pl.Int64).alias("weighted"))
    for name in ("commit", "best_case", "pipeline"):
        mask = (c("status") == "open") & (c("forecast_category") == name)
        sums.append(c("credit_minor").filter(mask).sum().alias(name))
    quarter = (c("close_day").dt.year() - 2022) * 4 + c("close_day").dt.quarter().cast(pl.Int32) - 3
    frame = pl.scan_parquet(path).with_columns(c("person_id").cast(pl.String), c("status").cast(pl.String),
                                               c("forecast_category").cast(pl.String), q=quarter)  # fmt: skip
    found = frame.group_by("person_id", "q").agg(sums).collect(engine="streaming")
    place = ((c("person_id").rank("dense").cast(pl.Int64) - 1) * QUARTERS + c("q") + 1) % 9973
    names = [s.meta.output_name() for s in sums]
    row = found.with_columns(place=place).select([(c(n).cast(pl.Int64) * c("place")).sum() for n in names]).row(0)
    return dict(zip(names, (int(v) for v in row), strict=True))


def pandas_(path: str) -> dict[str, int]:
    """Filters and group-bys, one a sum."""
    import numpy as np
    import pandas as pd

    deals = pd.read_parquet(path)
    day = pd.to_datetime(deals["close_day"])
    deals["q"] = (day.dt.year - 2022) * 4 + day.dt.quarter - 3
    people = {p: n for n, p in enumerate(sorted(deals["person_id"].astype(str).unique()))}
    live = (deals["status"] == "open") & (deals["forecast_category"] != "omitted")
    masks = {"won": deals["status"] == "won", "lost": deals["status"] == "lost", "open": live}
    for name in ("commit", "best_case", "pipeline"):
        masks[name] = (deals["status"] == "open") & (deals["forecast_category"] == name)
    deals["person_id"] = deals["person_id"].astype(str)
    deals["weighted"] = (deals["credit_minor"] * deals["probability_bp"].fillna(0) / 10000).round()
    found = {}

    def total(series: "pd.Series") -> int:
        keys = series.index
        places = (
            np.array([people[p] for p in keys.get_level_values(0)]) * QUARTERS + keys.get_level_values(1) + 1
        ) % 9973
        return int((series.astype("int64").to_numpy() * places.to_numpy()).sum())

    for name, mask in masks.items():
        grouped = deals[mask].groupby(["person_id", "q"])
        found[name] = total(grouped["credit_minor"].sum())
        if name in ("won", "lost", "open"):
            found[f"{name}_deals"] = total(grouped.size())
        if name in ("won", "open"):
            found[f"{name}_blank"] = total(
                deals[mask & deals["credit_minor"].isna()].groupby(["person_id", "q"]).size()
            )
        if name == "open":
            found["weighted"] = total(grouped["weighted"].sum())
    return found


if __name__ == "__main__":
    answer = {"duckdb": duckdb_, "polars": polars_, "pandas": pandas_}[sys.argv[1]](sys.argv[2])
    order = ("won", "won_deals", "won_blank", "lost", "lost_deals", "open", "open_deals", "open_blank", "weighted",
             "commit", "best_case", "pipeline")  # fmt: skip
    print(json.dumps({name: answer[name] for name in order}))
