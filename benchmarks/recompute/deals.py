"""A file of made-up deals: seventeen quarters of close dates, some without amounts, categories and probabilities."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST, DAYS = np.datetime64("2022-07-01"), 1553
"""Seventeen quarters; the last one ends on 2026-09-30."""

CATEGORIES = ("omitted", "pipeline", "best_case", "commit", "closed")


def write(file: Path, deals: int, reps: int, seed: int = 7) -> None:
    """Write the file a hundred thousand rows at a time; words are dictionaries, as our landing writes them."""
    maker = np.random.default_rng(seed)
    people = pa.array([f"rep{n:05}" for n in range(reps)])
    writer = None
    for start in range(0, deals, 100_000):
        size = min(100_000, deals - start)
        status = maker.choice(3, size, p=(0.3, 0.4, 0.3)).astype("int8")
        cents = (maker.lognormal(13, 1.2, size)).astype("int64")
        blank = maker.random(size) < 0.02
        category = np.where(status > 0, 4, maker.integers(0, 4, size)).astype("int8")
        day = FIRST + maker.integers(0, DAYS, size)
        table = pa.table(
            {
                "person_id": pa.DictionaryArray.from_arrays(maker.integers(0, reps, size).astype("int32"), people),
                "status": pa.DictionaryArray.from_arrays(status, pa.array(["open", "won", "lost"])),
                "forecast_category": pa.DictionaryArray.from_arrays(category, pa.array(CATEGORIES)),
                "credit_minor": pa.array(cents, mask=blank),
                "amount_minor": pa.array(cents, mask=blank),
                "probability_bp": pa.array(maker.integers(0, 101, size) * 100, mask=maker.random(size) < 0.05),
                "close_day": pa.array(day.astype("datetime64[D]")),
            }
        )
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
