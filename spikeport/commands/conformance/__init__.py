"""Our integers against published recordings, Lava and each other: `conformance`."""
