"""What does the films of a batch: a watched process for each, on this machine or on a cluster."""
