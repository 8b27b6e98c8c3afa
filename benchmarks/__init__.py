"""Holds the pretend org and our connector against clients that nobody here wrote; no part of the product."""
