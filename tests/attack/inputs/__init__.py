"""Attacks by settings, model files and servers."""
