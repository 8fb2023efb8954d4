"""The run folder: tables on disk, steps that are done once, a finished run read back."""
