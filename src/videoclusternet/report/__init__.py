"""The report: one page that prints, with all that a finished run knows of its cast."""
