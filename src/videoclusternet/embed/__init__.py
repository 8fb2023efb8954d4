"""Crops to embeddings: views, the frozen model, face quality (sections 3.4 and 3.6)."""
