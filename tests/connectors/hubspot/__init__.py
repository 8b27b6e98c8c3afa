"""The HubSpot connector, against the pretend portal's server."""
