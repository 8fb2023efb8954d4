"""Detectors and face-ID models behind one registry."""
