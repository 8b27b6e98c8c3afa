"""Salesforce: people, stages, rates, quotas, opportunities and splits over REST, through simple-salesforce."""

from connectors.salesforce.connector import Salesforce

__all__ = ["Salesforce"]
