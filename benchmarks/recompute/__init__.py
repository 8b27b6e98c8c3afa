"""Every person's sums of every quarter, beside DuckDB, Polars and plain pandas: `python -m benchmarks.recompute`."""
