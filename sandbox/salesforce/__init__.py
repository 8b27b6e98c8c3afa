"""A Salesforce-shaped server: its records, the part of SOQL that is needed, and the REST paths."""
