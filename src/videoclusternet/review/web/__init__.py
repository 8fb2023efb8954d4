"""The review page and its server, on the loopback address."""
