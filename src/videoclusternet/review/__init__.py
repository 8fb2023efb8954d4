"""People and a cast: what was said held to, why tracks are one, what to ask next, the page."""
