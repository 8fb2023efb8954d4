"""People who are known from elsewhere: how a clustering takes them up."""
