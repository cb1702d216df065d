"""Training and what follows from a run: `train`, `finetune`, `recipes`, `export`."""
