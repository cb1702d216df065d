"""Mutants that no test can catch, because they do the same; each with the reason."""

from collections.abc import Mapping

NOTHING = "at 0 both ways shift by nothing"
ZERO = "at 0 both ways give 0"
WAYS = "both ways of a convolution give the same sums, and differ in time"
FIRST = "the weights by source stand first in the array, so none for windows begins at 0"
FEWER = "four, two or one run at a time: the same sum, within 16 bits for words of 9 bits as well"
GROUPS = "channels are a multiple of the groups, so nothing is rounded"
LENGTH = "numpy takes any negative length for the one that is left"
ROWS = "of two rows that are the same the first is read"
MASK = "the two differ by 2^24, which the mask takes off"
NONE = "a zero is no multiple of anything, and is left out"
MORE = "more room than is needed"
OUT = "a sum of 2^18 and more takes u out of its word in any case, until at 2^26 its << 6 comes round in 32 bits"
SAME = "u and v are of one type and length"
SUM = "bad = bad | (arrived > 1 << 24) | (arrived < -(1 << 24))"
LEN = "n = builder.extract_value(context.make_array(signature.args[0])(context, builder, arguments[0]).shape, 0)"

EQUIVALENT: Mapping[str, Mapping[tuple[str, str], str]] = {
    "fixed.py": {
        (
            "return ((x + half) & ((1 << bits) - 1)) - half",
            "x + half  ->  (x - half)",
        ): "the two differ by 2^bits, which the mask takes off",
        ("return x << exp if exp >= 0 else x >> -exp", "exp >= 0  ->  (exp > 0)"): NOTHING,
        ("return x << exp if exp >= 0 else x >> -exp", "0  ->  1"): NOTHING,
    },
    "sim/rules/sigma_delta.py": {
        ("bias = np.asarray(neurons.bias, np.int64).reshape(-1) << neurons.scale_exp", "1  ->  2"): LENGTH,
    },
    "sim/reference.py": {
        (
            "into = slice(g * c_out // conv.groups, (g + 1) * c_out // conv.groups)",
            "g * c_out // conv.groups  ->  (-(-(g * c_out) // conv.groups))",
        ): GROUPS,
        (
            "into = slice(g * c_out // conv.groups, (g + 1) * c_out // conv.groups)",
            "(g + 1) * c_out // conv.groups  ->  (-(-((g + 1) * c_out) // conv.groups))",
        ): GROUPS,
        (
            "padded = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))",
            "0  ->  1 (4 of 4)",
        ): "a channel after the last, which no group reads",
        (
            'entering["bias"] = loaded.get(n, group.bias_mant.astype(np.int64).reshape(-1)) << group.bias_exp',
            "1  ->  2",
        ): LENGTH,
        (
            "a = fixed.shift(convolve(connection, x.reshape(-1, *source), target), connection.weight_exp)",
            "1  ->  2",
        ): LENGTH,
        ("return {connection.delay: _conv_word(a.reshape(len(x), -1), guard)}", "1  ->  2"): LENGTH,
        ("total = convolve(synapses, x.reshape(-1, *source), target).reshape(len(x), -1)", "1  ->  2 (1 of 2)"): LENGTH,
        ("total = convolve(synapses, x.reshape(-1, *source), target).reshape(len(x), -1)", "1  ->  2 (2 of 2)"): LENGTH,
        ("total = fixed.shift(total, synapses.weight_exp) + encoder.offset.reshape(-1)", "1  ->  2"): LENGTH,
        (
            "if np.abs(x).max() <= fixed.PAYLOAD_MAX:",
            "np.abs(x).max() <= fixed.PAYLOAD_MAX  ->  (np.abs(x).max() < fixed.PAYLOAD_MAX)",
        ): "the largest payload times 255 fits 32 bits, so both ways give the same",
    },
    "sim/engine/words.py": {
        ("return x << exp if exp >= 0 else x >> -exp", "exp >= 0  ->  (exp > 0)"): NOTHING,
        ("return x << exp if exp >= 0 else x >> -exp", "0  ->  1"): NOTHING,
        ("return x >> bits if x >= 0 else -(-x >> bits)", "x >= 0  ->  (x > 0)"): ZERO,
        ("return x >> bits if x >= 0 else -(-x >> bits)", "0  ->  1"): ZERO,
    },
    "sim/engine/lif.py": {
        (SUM, "arrived > 1 << 24  ->  (arrived > (1 << 24) - 1)"): OUT,
        (SUM, "arrived < -(1 << 24)  ->  (arrived < (-(1 << 24)) + 1)"): OUT,
        (SUM, "1  ->  2 (1 of 2)"): OUT,
        (SUM, "1 << 24  ->  (1 << 24 + 1) (1 of 2)"): OUT,
        (SUM, "24  ->  25 (1 of 2)"): OUT,
        (SUM, "1  ->  2 (2 of 2)"): OUT,
        (SUM, "1 << 24  ->  (1 << 24 + 1) (2 of 2)"): OUT,
        (SUM, "24  ->  25 (2 of 2)"): OUT,
        (LEN, "0  ->  1 (1 of 3)"): SAME,
        (LEN, "0  ->  1 (2 of 3)"): SAME,
        ("negative, minus = x < 0, x * -1", "x < 0  ->  (x < 0 + 1)"): ZERO,
        ("negative, minus = x < 0, x * -1", "0  ->  1"): ZERO,
        ("x = np.int64(np.int32((part if u[i] >= 0 else -part) + (arrived << 6)))", "u[i] >= 0  ->  (u[i] > 0)"): ZERO,
        ("x = np.int64(np.int32((part if u[i] >= 0 else -part) + (arrived << 6)))", "0  ->  1"): ZERO,
        ("return (size * keep) >> 12 if size >= 0 else -((-size * keep) >> 12)", "size >= 0  ->  (size > 0)"): ZERO,
        ("return (size * keep) >> 12 if size >= 0 else -((-size * keep) >> 12)", "0  ->  1"): ZERO,
    },
    "sim/engine/sigma_delta.py": {
        ("if relu and x < 0:", "x < 0  ->  (x < 0 + 1)"): "0 is put to 0",
        ("if relu and x < 0:", "0  ->  1"): "0 is put to 0",
    },
    "sim/engine/kernels.py": {
        (
            "np.uint32(row[col.C_IN] // row[col.GROUPS]),",
            "row[col.C_IN] // row[col.GROUPS]  ->  (-(-row[col.C_IN] // row[col.GROUPS]))",
        ): GROUPS,
        ("if weight.itemsize == 1:", "weight.itemsize == 1  ->  (weight.itemsize != 1)"): FEWER,
        ("if weight.itemsize == 1:", "1  ->  2"): FEWER,
        ("while k + 4 <= count:", "k + 4 <= count  ->  ((k + 4) < count)"): FEWER,
        ("while k + 4 <= count:", "4  ->  5"): FEWER,
        ("if k + 2 <= count:", "k + 2 <= count  ->  ((k + 2) < count)"): FEWER,
        ("if k + 2 <= count:", "2  ->  3"): FEWER,
    },
    "sim/engine/graded.py": {
        (
            "to = at + channel // (channels // row[col.GROUPS]) * row[col.C_OUT_G]",
            "channels // row[col.GROUPS]  ->  (-(-channels // row[col.GROUPS]))",
        ): GROUPS,
        ("a[i] += ((x + WORD) & (2 * WORD - 1)) - WORD if wraps else x", "x + WORD  ->  (x - WORD)"): MASK,
    },
    "sim/engine/deliver.py": {
        ("PER_WINDOW = 3", "3  ->  4"): WAYS,
        (
            "if row[col.GATHER] >= 0 and m * PER_WINDOW >= row[col.H_OUT] * row[col.W_OUT]:",
            "row[col.GATHER] >= 0  ->  (row[col.GATHER] > 0)",
        ): FIRST,
        ("if row[col.GATHER] >= 0 and m * PER_WINDOW >= row[col.H_OUT] * row[col.W_OUT]:", "0  ->  1"): FIRST,
        (
            "if row[col.GATHER] >= 0 and m * PER_WINDOW >= row[col.H_OUT] * row[col.W_OUT]:",
            "m * PER_WINDOW >= row[col.H_OUT] * row[col.W_OUT]  ->  ((m * PER_WINDOW) > (row[col.H_OUT] * row[col.W_OUT]))",  # noqa: E501
        ): WAYS,
    },
    "sim/engine/arrivals.py": {
        (
            "buffer[i] = np.int32(np.int32(np.int32(np.int32(buffer[i] << up) + WORD) & np.int32(2 * WORD - 1)) - WORD)",  # noqa: E501
            "np.int32(buffer[i] << up) + WORD  ->  (np.int32(buffer[i] << up) - WORD)",
        ): MASK,
        (
            "n = builder.extract_value(context.make_array(kinds[0])(context, builder, arguments[0]).shape, 0)",
            "0  ->  1 (1 of 3)",
        ): "both arrays are of the same type",
    },
    "sim/engine/windows.py": {
        ("GROUP = 4", "4  ->  5"): "one more row of zeros is added",
        (
            "edges[: places + 1] = first",
            "1  ->  2",
        ): "nobody reads the entry beyond, and every call begins by writing it",
        (
            "for p in range(1, places + 1):",
            "1  ->  2 (1 of 2)",
        ): "the first edge is the least, so the second is not below it",
    },
    "sim/engine/rows.py": {
        ("room = np.zeros(size + 64, np.int8)", "64  ->  65"): "one byte more of room",
        ("AHEAD = 16", "16  ->  17"): "one entry more at a time, and room for it",
    },
    "sim/engine/events.py": {
        ("SPARE = 8", "8  ->  9"): "one entry more of room",
        (
            "PLACES = np.array([sorted(range(8), key=lambda k: not byte >> k & 1) for byte in range(256)], np.int8)",
            "256  ->  257",
        ): "no byte is 256, so nobody reads that row",
    },
    "sim/engine/loop.py": {
        ("STRICT, NARROW = 1, 2", "2  ->  3"): "whoever gives it reads the name",
        (
            "wild[g] = leaves_word(state[0][low : low + groups[g, col.N]], np.int64(0))",
            "0  ->  1 (2 of 2)",
        ): "a current that need not be stepped in 64 bits gives the same there",
        ("return t, len(groups) + k", "len(groups) + k  ->  (len(groups) - k)"): "only the step is read",
        (
            "if group[col.LAST_IN] == group[col.FIRST_IN] + 1:",
            "group[col.FIRST_IN] + 1  ->  (group[col.FIRST_IN] - 1)",
        ): "a single connection is then gathered as several are, to the same sums",
        (
            "shown = step == steps - 1 or kept_states[3][group[col.NODE]] >= 0",
            "3  ->  4",
        ): "both tell whether the group's states are kept",
    },
    "sim/engine/room.py": {
        ("widest, plain = 0, True", "0  ->  1"): MORE,
        ("most = 0", "0  ->  1"): MORE,
        ("places = synapses = 0", "0  ->  1"): MORE,
    },
    "train/integer_rule.py": {
        (
            "if x.is_floating_point() and not torch.equal(x, x.round()):",
            "x.round()  ->  (x // 1)",
        ): "either is another value than x where x is not whole",
        (
            'if arriving.device.type == "cpu":',
            "arriving.device.type == \"cpu\"  ->  (arriving.device.type != 'cpu')",
        ): "the other form gives the same spikes, only later",
        ("u: Tensor | int = 0", "0  ->  1"): "a number there says that no step was done; which it is nobody reads",
        ("v: Tensor | int = 0", "0  ->  1"): "a number there says that no step was done; which it is nobody reads",
    },
    "deploy/quantize/rounded.py": {
        (
            "exp = max(0, int(np.ceil(np.log2(reach / top * (1 - 1e-12))))) if reach else 0",
            "0  ->  1 (2 of 2)",
        ): "where all weights are 0, they are so under any exponent",
    },
    "deploy/quantize/units.py": {
        ("for keep in (p.keep_u.reshape(-1), p.keep_v.reshape(-1)):", "1  ->  2 (1 of 2)"): LENGTH,
        ("for keep in (p.keep_u.reshape(-1), p.keep_v.reshape(-1)):", "1  ->  2 (2 of 2)"): LENGTH,
        ("mean, variance = p.bias.reshape(-1).copy(), np.zeros(p.size)", "1  ->  2"): LENGTH,
        ("mean += apply(q.map, np.full((1, q.map.shape[1]), 0.5))[0]", "1  ->  2 (1 of 2)"): ROWS,
        ("variance += apply(squares, np.full((1, q.map.shape[1]), 0.25))[0]", "1  ->  2 (1 of 2)"): ROWS,
        ("keeps = [keep.reshape(-1) for keep in (p.keep_u, p.keep_v)]", "1  ->  2"): LENGTH,
        (
            "return np.where(keep < 1, np.minimum(1 / np.maximum(1 - keep, 1e-12), steps), steps)",
            "keep < 1  ->  (keep < 1 + 1)",
        ): "where nothing is forgotten, either gives the number of steps",
        (
            "return np.where(keep < 1, np.minimum(1 / np.maximum(1 - keep, 1e-12), steps), steps)",
            "1  ->  2 (1 of 3)",
        ): "where nothing is forgotten, either gives the number of steps",
        ("most = (sign * p.bias).clip(min=0).reshape(-1)", "1  ->  2"): LENGTH,
        ("most = most + apply(of_sign, np.ones((1, q.map.shape[1])))[0]", "1  ->  2 (1 of 2)"): ROWS,
    },
    "deploy/quantize/on_grid.py": {
        (
            "n = (fixed.DECAY_ONE - 1) // V_PER_UNIT // max(1, len(into))",
            "1  ->  2 (1 of 2)",
        ): "4094 and 4095 have 63 whole 64ths",
        ("values = np.concatenate([w.reshape(-1) for w in weights]) if weights else np.zeros(0)", "1  ->  2"): LENGTH,
        ("values = np.concatenate([w.reshape(-1) for w in weights]) if weights else np.zeros(0)", "0  ->  1"): NONE,
        (
            'taken_off = p.threshold.reshape(-1)[:1] if p.reset == "subtract" and p.fires else np.zeros(0)',
            "1  ->  2 (1 of 2)",
        ): LENGTH,
        (
            'taken_off = p.threshold.reshape(-1)[:1] if p.reset == "subtract" and p.fires else np.zeros(0)',
            "1  ->  2 (2 of 2)",
        ): "a population has one threshold",
        (
            'taken_off = p.threshold.reshape(-1)[:1] if p.reset == "subtract" and p.fires else np.zeros(0)',
            "0  ->  1",
        ): NONE,
        ("added = np.concatenate([values, p.bias.reshape(-1), taken_off])", "1  ->  2"): LENGTH,
        (
            "return exp <= fixed.WEIGHT_EXP_MAX and fixed.fits_mantissa(weight >> exp) and bool(np.all(weight % (1 << exp) == 0))",  # noqa: E501
            "weight >> exp  ->  (((weight) * -1 >> exp) * -1)",
        ): "where the two differ, the last condition does not hold",
    },
}
"""By file: `(line, change)`, without its comment, to why nothing changes."""
