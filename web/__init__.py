"""Server-rendered pages and a JSON API over stored scorecards, with the access rules. Imports metrics and models."""
