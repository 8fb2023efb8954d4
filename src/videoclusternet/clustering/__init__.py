"""Embeddings to a cast, in NumPy alone (sections 3.5 to 3.7)."""
