"""Commands of the laboratory; ``vcn`` finds them by the entry points of ``pyproject.toml``."""
