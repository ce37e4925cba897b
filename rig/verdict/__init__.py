"""The judge: a pure function from a history to verdicts, one invariant a function."""
