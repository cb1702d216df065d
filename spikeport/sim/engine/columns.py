"""Columns of the engine's tables, and the kinds of neurons and of connections."""

# of a group
NODE, N, OFFSET, KEEP_U, KEEP_V, VTH, INTERVAL, RESET_AT, FIRST_IN, LAST_IN = range(10)
RULE, SIGNED, VARIABLES, MORE = range(10, 14)  # MORE: where its third variable starts, of those beyond two
SOFT, REST, TERNARY, VTH_LOW = range(14, 18)  # of a LIF
STAGE, SCALE_EXP, STATE_EXP, RELU, CUMULATE = range(18, 23)  # of a SigmaDelta; STATE_EXP of a Resonator too
COS, SIN, DECAY_BITS, IZHIKEVICH = range(23, 27)  # of a Resonator
SILENT = 27  # of a LIF: its v is read, and it is not to spike
GROUP_COLUMNS = 28

PLAIN, LIF, SIGMA_DELTA, RESONATOR = range(4)  # PLAIN: a LIF that takes and sends spikes only, and has hard reset
DELTA, SIGMA, BOTH = range(3)

# of a connection
KIND, SOURCE, TARGET, EXP, DELAY, SLOTS, N_TARGET, BUFFER, WEIGHT, WIDE, POINTER, SLOT = range(12)
C_IN, C_OUT_G, GROUPS, STRIDE = range(12, 16)  # of a convolution: channels, groups, weights per source channel
LONG, GRADED, WORD, PORT, WRAPS = range(16, 21)  # LONG: its sums need 64 bits, and its buffer is one of `longs`
H_IN, W_IN, H_OUT, W_OUT, K_H, K_W, S_H, S_W, P_H, P_W, D_H = range(21, 32)  # of a convolution, in places
GATHER, ROW = range(32, 34)  # of a convolution: its weights for `windows.py`, or -1; how long a row of them is
CONNECTION_COLUMNS = 34

DENSE, LISTED, CONV = range(3)
# WRAPS: whether a sum of spikes can be so large that the word of a convolution matters
NO_WORD, SUM_WORD, PRODUCT_WORD = range(3)  # what wraps at 32 bits: nothing, the sum of a delay, each product
