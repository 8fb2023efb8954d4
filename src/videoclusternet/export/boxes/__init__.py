"""Boxes of faces, for trackers, detectors and annotation tools."""
