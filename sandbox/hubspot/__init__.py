"""A HubSpot-shaped server: a portal's records, search, and the v3 and date-versioned paths."""
