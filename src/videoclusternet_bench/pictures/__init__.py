"""What people look at: partitions beside the truth, faces, errors."""
