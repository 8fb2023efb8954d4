"""People whom nothing is to recognise any more: what a run folder holds of them, taken out."""
