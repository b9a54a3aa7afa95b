"""Unseen, a laboratory for generalization."""
