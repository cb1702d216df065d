"""What is mutated, and the tests that are to notice: the few that are made for it, so that a mutant takes seconds.

interpreted  what numba would compile runs as plain Python (`NUMBA_DISABLE_JIT`): the same lines, no compiling
plain        the file has nothing that is compiled; what else the tests need of the engine is, once
compiled     the file is written as vectors, which exist compiled only: each mutant is compiled
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Target:
    """A file below `spikeport/`, and pytest's arguments."""

    file: str
    tests: tuple[str, ...]
    functions: tuple[str, ...] = ()
    """Only these, "" for the module's own constants; all if empty."""
    way: Literal["interpreted", "plain", "compiled"] = "interpreted"

    @property
    def module(self) -> str:
        return "spikeport." + self.file.removesuffix(".py").replace("/", ".")

    @property
    def name(self) -> str:
        return self.file + (":" + ",".join(filter(None, self.functions)) if self.functions else "")


KERNELS = "tests/sim/engine/test_kernels.py"
RULES = (KERNELS, "tests/sim/test_rules.py")
LOOP = ("tests/sim/engine/test_loop.py",)
GRADED = (*LOOP, "tests/sim/engine/test_run.py", "-k", "test_loop or graded or convolution_beyond or least_of")
EVENTS = ("tests/sim/engine/test_events.py",)
QUANTIZE = tuple(f"tests/deploy/quantize/test_{name}.py" for name in ("rounded", "units", "on_grid", "data"))
INTEGERS = ("_counting", "_on_lavas", "_on_its_own", "_threshold_between", "exact_threshold", "encodable")
TARGETS = (
    Target("fixed.py", ("tests/test_fixed.py",), way="plain"),
    Target("sim/rules/lif.py", (*RULES, "-k", "loihi1 or not (sigma or delta or resonator or words or adds)")),
    Target("sim/rules/sigma_delta.py", (*RULES, "-k", "sigma or delta or error or strict_names or own_bias")),
    Target("sim/rules/resonator.py", (*RULES, "-k", "resonator or strict_names")),
    Target("sim/reference.py", ("tests/sim/test_reference.py", "tests/sim/test_graded.py")),
    Target("sim/engine/words.py", (KERNELS, "-k", "words or resonator")),
    Target("sim/engine/lif.py", (KERNELS, "-k", "lif or current"), ("step_lif_wide", "step_lif_any", "kept_long")),
    Target("sim/engine/lif.py", (KERNELS, "-k", "loihi1"), ("leaves_loihi1",)),
    Target(
        "sim/engine/lif.py", ("tests/sim/engine/test_lif.py",), ("", "_stepper", "kept", "fire", "step_lif"), "compiled"
    ),
    Target("sim/engine/sigma_delta.py", (KERNELS, "-k", "sigma")),
    Target("sim/engine/resonator.py", (KERNELS, "-k", "resonator")),
    Target("sim/engine/kernels.py", (KERNELS, "-k", "add or slots")),
    Target("sim/engine/graded.py", GRADED),
    Target("sim/engine/deliver.py", LOOP),
    Target("sim/engine/arrivals.py", ("tests/sim/engine/test_arrivals.py", *LOOP), ("slot_of", "wrap", "leaves_word")),
    Target("sim/engine/arrivals.py", ("tests/sim/engine/test_arrivals.py",), ("", "_take"), "compiled"),
    Target("sim/engine/windows.py", ("tests/sim/engine/test_windows.py", "-k", "small or edges")),
    Target("sim/engine/rows.py", ("tests/sim/engine/test_rows.py", "-k", "rows or line"), ("add_rows", "aligned")),
    Target("sim/engine/rows.py", ("tests/sim/engine/test_rows.py",), ("", "_adder", "append"), "compiled"),
    Target("sim/engine/events.py", EVENTS, ("list_events", "set_bits", "_nonzero_after")),
    Target("sim/engine/events.py", EVENTS, ("", "_list_64", "_nonzero_64", "count_bits"), "compiled"),
    Target("sim/engine/loop.py", LOOP),
    Target("sim/engine/room.py", ("tests/sim/engine/test_room.py",)),
    Target("train/integer_kernel.py", ("tests/train/test_integer_rule.py", "-k", "form"), ("fire", "_fire")),
    Target("train/integer_rule.py", ("tests/train/test_integer_rule.py", "tests/train/test_integer_forward.py")),
    Target("host.py", ("tests/test_host.py",), way="plain"),
    Target("deploy/quantize/rounded.py", QUANTIZE, way="plain"),
    Target("deploy/quantize/units.py", QUANTIZE, way="plain"),
    Target("deploy/quantize/on_grid.py", QUANTIZE, INTEGERS, "plain"),
)
