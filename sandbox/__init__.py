"""A pretend company: Salesforce- and HubSpot-shaped servers on loopback for the demo, tests and benchmarks.

Imports nothing else of ours, so that its truth is an independent witness of what a sync should find.
"""
