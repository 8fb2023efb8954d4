"""Data of others: its forms, read, checked and written, and ways into the method with it."""
