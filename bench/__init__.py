"""How fast is unseen beside the tools it would replace? The same numbers first, then CPU time and wall time.

python -m bench                        every comparison: one table, and all timings as JSON
python -m bench scoring --rounds 9     one comparison, with more rounds

A comparison is a module with `compare(rounds) -> Iterator[Result]`: both sides do the same work on the same items in one
process, one thread each, models loaded before the clock starts, and they take turns so that a busy machine slows both.
"""
