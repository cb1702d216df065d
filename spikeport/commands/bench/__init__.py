"""Measured side by side with others: `bench`."""
