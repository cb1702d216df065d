"""What a network costs: `energy`, `profiles`."""
