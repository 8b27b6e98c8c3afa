"""Pure functions: frames and a period in, results out; a profile turns them into a scorecard. Imports models only."""
