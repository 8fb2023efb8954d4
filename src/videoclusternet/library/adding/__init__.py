"""Ways into a library: tracks of runs, photographs, pictures seen by another face model."""
