"""Labelled data: sets and their truth, counted, checked, described, written, joined."""
