"""Timelines and markers that editing programs open."""
