"""Tables and subtitles."""
