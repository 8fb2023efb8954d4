"""Methods that are compared on identical tracks: one file per family."""
