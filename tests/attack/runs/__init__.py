"""Attacks on run folders, their zips, and on commands that are killed."""
