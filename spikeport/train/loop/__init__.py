"""The training loop: one file for each part, and `fit` and `fine_tune` over them."""
