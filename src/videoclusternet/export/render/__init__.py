"""A copy of a film with the cast drawn into it: names over boxes, or faces blurred.

look -> marks -> (labels, paint) -> copy <- sound
"""
