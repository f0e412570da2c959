"""Synthesised scenes and a test card: sources whose truth is known exactly."""
