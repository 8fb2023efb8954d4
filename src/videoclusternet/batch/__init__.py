"""Many films: who does which, what became of each, what was found in all."""
