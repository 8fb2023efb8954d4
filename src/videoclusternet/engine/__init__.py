"""How work is spread: serially, or over processes; what a step gets besides its arguments."""
