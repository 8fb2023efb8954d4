"""Many films: which there are, who does which, and what became of each."""
