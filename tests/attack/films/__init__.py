"""Attacks by films: damaged, lying, oddly named, or none."""
