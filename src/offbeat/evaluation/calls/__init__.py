"""One question to one model: how long to wait, how often to ask again, how many at a time."""
