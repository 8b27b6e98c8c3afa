"""Beyond Quota: entry points and wiring only; the one folder that imports everything."""

__version__ = "0.1.0"
