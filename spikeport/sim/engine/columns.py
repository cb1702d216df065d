"""Columns of the engine's tables, and the kinds of connection."""

# of a group
NODE, N, OFFSET, KEEP_U, KEEP_V, VTH, INTERVAL, RESET_AT, FIRST_IN, LAST_IN = range(10)
GROUP_COLUMNS = 10

# of a connection
KIND, SOURCE, TARGET, EXP, DELAY, SLOTS, N_TARGET, BUFFER, WEIGHT, WIDE, POINTER = range(11)
C_IN, C_OUT_G, GROUPS, STRIDE = range(11, 15)  # of a convolution: channels, groups, weights per source channel
CONNECTION_COLUMNS = 15

DENSE, LISTED, CONV = range(3)
