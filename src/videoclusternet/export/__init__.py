"""What leaves a run: one exact sheet, and one writer a file over it.

sheet -> (edl, otio, csv, ...) -> formats -> write
"""
