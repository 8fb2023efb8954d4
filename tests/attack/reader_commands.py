"""Placeholder."""

GROUPS = {}
