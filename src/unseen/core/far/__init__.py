"""Trials that lie behind a URL, shared by several machines."""
