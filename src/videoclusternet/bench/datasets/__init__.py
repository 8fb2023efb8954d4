"""Labelled data sets: their forms, read, checked, written and joined."""
