"""From NIR to a Program: `compile`, `check`, `convert`."""
