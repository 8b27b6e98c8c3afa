"""HubSpot: owners, pipelines, deals and goals as quotas, through hubspot-api-client."""

from connectors.hubspot.connector import HubSpot

__all__ = ["HubSpot"]
