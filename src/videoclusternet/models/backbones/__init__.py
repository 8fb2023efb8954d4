"""Face-ID models behind one base class."""
