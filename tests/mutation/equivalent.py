"""Mutants that no test can catch, because they do the same; each with the reason."""

from collections.abc import Mapping

NOTHING = "at 0 both ways shift by nothing"
ZERO = "at 0 both ways give 0"
EQUIVALENT: Mapping[tuple[str, str, str], str] = {
    ("fixed.py", "return ((x + half) & ((1 << bits) - 1)) - half", "x + half  ->  (x - half)"): (
        "the two differ by 2^bits, which the mask takes off"
    ),
    ("fixed.py", "return x << exp if exp >= 0 else x >> -exp", "exp >= 0  ->  (exp > 0)"): NOTHING,
    ("fixed.py", "return x << exp if exp >= 0 else x >> -exp", "0  ->  1"): NOTHING,
    (
        "sim/rules/sigma_delta.py",
        "bias = np.asarray(neurons.bias, np.int64).reshape(-1) << neurons.scale_exp",
        "1  ->  2",
    ): "numpy takes any negative length for the one that is left",
    ("sim/engine/words.py", "return x << exp if exp >= 0 else x >> -exp", "exp >= 0  ->  (exp > 0)"): NOTHING,
    ("sim/engine/words.py", "return x << exp if exp >= 0 else x >> -exp", "0  ->  1"): NOTHING,
    ("sim/engine/words.py", "return x >> bits if x >= 0 else -(-x >> bits)", "x >= 0  ->  (x > 0)"): ZERO,
    ("sim/engine/words.py", "return x >> bits if x >= 0 else -(-x >> bits)", "0  ->  1"): ZERO,
    ("sim/engine/sigma_delta.py", "if relu and x < 0:", "x < 0  ->  (x < 0 + 1)"): "0 is put to 0",
    ("sim/engine/sigma_delta.py", "if relu and x < 0:", "0  ->  1"): "0 is put to 0",
}
"""`(file, line, change)` to why nothing changes."""
