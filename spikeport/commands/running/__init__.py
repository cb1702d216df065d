"""A Program on the simulator, on Lava or on a board: `run`, `verify`, `bisect`, `stream`."""
