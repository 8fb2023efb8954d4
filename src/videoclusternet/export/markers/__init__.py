"""Markers alone, as the marker windows of editing programs take them."""
