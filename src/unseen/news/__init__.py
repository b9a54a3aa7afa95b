"""What changed in the laboratory and at arXiv, for those who asked to be told."""
