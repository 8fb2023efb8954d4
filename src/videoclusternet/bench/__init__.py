"""Evaluation against labels: never imported by the method itself."""
