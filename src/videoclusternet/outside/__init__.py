"""What comes from outside: text that a terminal may show, files that a user names."""
