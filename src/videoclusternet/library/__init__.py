"""People of many films: one file that remembers who they are and what they look like."""
