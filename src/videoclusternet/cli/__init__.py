"""The command ``vcn``."""
