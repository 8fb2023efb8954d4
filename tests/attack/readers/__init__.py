"""Attacks by files that every reader is given spoiled."""
