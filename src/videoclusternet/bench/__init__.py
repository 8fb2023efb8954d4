"""Numbers a researcher can trust: truth, metrics and baselines."""
