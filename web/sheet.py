"""The deal list as CSV that a spreadsheet cannot be tricked with."""

import csv
import io
import re

from metrics.scorecard import Scorecard
from models.money import plain

HEADINGS = (
    *("connection", "record", "deal", "account", "status", "stage", "forecast category", "amount", "currency"),
    *("credit", "credit currency", "credit %", "close day", "flags", "link"),
)
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def neutral(cell: str) -> str:
    """A cell that stays text: whatever could start a formula gets an apostrophe, except a plain number."""
    if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def deals_csv(card: Scorecard) -> str:
    """Every deal of a scorecard, one a line, with a byte order mark so that Excel reads names rightly."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for deal in card.deals:
        cells = (
            *(deal.connection, deal.external_id, deal.name, deal.account, deal.status, deal.stage),
            *(deal.forecast_category, plain(deal.amount_minor, deal.currency or card.currency), deal.currency),
            *(plain(deal.credit_minor, card.currency), card.currency, f"{deal.share_ppm / 10_000:g}"),
            *(str(deal.close_day or ""), "; ".join(deal.flags), deal.link),
        )
        writer.writerow([neutral(str(cell)) if cell is not None else "" for cell in cells])
    return "\ufeff" + out.getvalue()
