"""A bundle that proves itself: one zip with a Program, an input, what it must give, and how to check that."""
