"""The Salesforce connector, read and written through real HTTP from a server shaped like the service."""
