"""Spreadsheets: CSV and Excel files read by a column mapping, or by our own column names without one."""

from connectors.spreadsheet.connector import Spreadsheet

__all__ = ["Spreadsheet"]
