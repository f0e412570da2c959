"""Asking: questions, parsing, the runner, and the store that keeps each answer the moment it comes."""
