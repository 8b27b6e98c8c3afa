"""Who is credited with a deal: its owner, or the owners of its revenue splits. Every cent goes somewhere.

Overlay splits are never credit. What no owner can be given is `uncredited`; what goes to a CRM user who is not
matched with a person is `unmatched`. Source: metrics reference §1.1, promise P1.
"""

from typing import Any, cast

import numpy as np
import pandas as pd

from models.money import share

WHOLE = 1_000_000


def credit(deals: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """One row a share of a deal: the deal's columns, person_id, kind, share_ppm, credit_minor and native_minor.

    `kind` is person, unmatched or uncredited. `credit_minor` is in the reporting currency, `native_minor` in the
    deal's own; both are unknown where the deal's amount is. Shares of a deal add up to it to the cent.
    """
    revenue = splits[~splits["overlay"].fillna(False).astype(bool)]
    keys = pd.MultiIndex.from_frame(revenue[["connection", "deal_external_id"]])
    split = pd.MultiIndex.from_frame(deals[["connection", "external_id"]]).isin(keys)
    whole = deals[~split].assign(share_ppm=WHOLE)
    whole["credit_minor"], whole["native_minor"] = whole["reporting_minor"], whole["amount_minor"]
    parts = [whole, _split(deals[split], revenue)] if split.any() else [whole]
    out = pd.concat(parts, ignore_index=True)
    kind = np.where(
        out["owner_external_id"].isna(), "uncredited", np.where(out["person_id"].isna(), "unmatched", "person")
    )
    out["kind"] = pd.array(kind, dtype="str")
    out["share_ppm"] = out["share_ppm"].astype("Int64")
    return out


def _split(deals: pd.DataFrame, revenue: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    by_deal = dict(iter(revenue.sort_values("external_id").groupby(["connection", "deal_external_id"])))
    for deal in cast(list[dict[str, Any]], deals.to_dict("records")):
        shares = by_deal[deal["connection"], deal["external_id"]]
        ppm = [int(p) for p in shares["share_ppm"].fillna(0)]
        native = _parts(deal["amount_minor"], ppm)
        reporting = _parts(deal["reporting_minor"], ppm)
        owners = [*zip(shares["owner_external_id"], shares["person_id"], strict=True), (None, None)]
        for index, ((owner, person), part) in enumerate(zip(owners, [*ppm, WHOLE - sum(ppm)], strict=True)):
            if part == 0 and index == len(ppm):
                continue  # nothing is left over
            fresh = {"owner_external_id": owner, "person_id": person, "share_ppm": part}
            rows.append({**deal, **fresh, "native_minor": native[index], "credit_minor": reporting[index]})
    frame = pd.DataFrame(rows)
    kinds = {n: deals[n].dtype for n in deals.columns} | {"native_minor": "Int64", "credit_minor": "Int64"}
    return frame.astype({n: k for n, k in kinds.items() if n in frame})


def _parts(minor: Any, ppm: list[int]) -> list[int | None]:
    return [None] * (len(ppm) + 1) if pd.isna(minor) else [*share(int(minor), ppm)]


def totals(credits: pd.DataFrame) -> pd.DataFrame:
    """Deals' own currency by connection, period, currency, status, kind and person: cents, deals, without amount."""
    keys = ["connection", "period_id", "currency", "status", "kind", "person_id"]
    grouped = credits.groupby(keys, dropna=False, sort=True)
    return grouped.agg(
        minor=("native_minor", "sum"),
        deals=("external_id", "nunique"),
        without_amount=("amount_minor", lambda s: int(s.isna().sum())),
    ).reset_index()
