"""Questions about who is on screen: a small language, and sets of frames."""
