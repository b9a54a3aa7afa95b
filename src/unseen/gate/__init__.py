"""A file of verdicts, and what got worse since it was written."""
