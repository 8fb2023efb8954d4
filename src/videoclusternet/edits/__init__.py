"""What people decide about a cast: lines of a log, and what they make of a clustering.

    anchor -> base -> edit -> verbs -> history -> (carry) -> shown, claims -> constraints

Nothing here touches the disk: the log's file is :mod:`videoclusternet.result.edit_log`.
"""
