"""Self-supervised adaptation of a face-ID model to one film (sections 3.4 and 3.5)."""
