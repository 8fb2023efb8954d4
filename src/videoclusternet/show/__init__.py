"""What people read: summary, cast page, picture of the learning, terminal tables."""
