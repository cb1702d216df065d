"""Where a Program's neurons are on a chip: `map`."""
