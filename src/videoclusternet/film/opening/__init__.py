"""Opening a film: which frames its file holds, and whether that is all it promises."""
