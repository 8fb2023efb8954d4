"""Commands over finished runs, and what goes with them: one file for each kind of work."""
