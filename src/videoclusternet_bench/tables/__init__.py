"""What people read of results: tables, beside the figures in print."""
