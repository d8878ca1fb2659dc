"""Pure metric functions: one family a file."""
