"""What is done to a clip's sound or picture: pure functions, one condition a file."""
