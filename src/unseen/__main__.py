"""`python -m unseen` is `unseen`."""

from .cli import main

main()
