"""Brings stored facts up to date: plan, apply, cursors, rejects, identity. Imports connectors, metrics, models."""
