"""Float populations to the chip's integers: exactly where they lie on its grid, rounded by the data where not."""
