"""What is done to a clip's sound: pure functions on arrays, one condition a file."""
