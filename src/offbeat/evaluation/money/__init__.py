"""What calls cost, what a run may cost, and what has been spent."""
