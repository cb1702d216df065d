"""What is mutated, and the tests that are to notice.

`interpreted` runs compiled code as plain Python (`NUMBA_DISABLE_JIT`): the same lines, without compiling each mutant.
What is written as vectors exists compiled only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A file below `spikeport/`, and pytest's arguments."""

    file: str
    tests: tuple[str, ...]
    functions: tuple[str, ...] = ()
    """Only these; all, and the module's own constants, if empty."""
    interpreted: bool = True

    @property
    def name(self) -> str:
        return self.file + (":" + ",".join(self.functions) if self.functions else "")


RULES = ("tests/sim/test_rules.py", "tests/sim/engine/test_kernels.py")
VECTORS = ("_stepper", "kept", "fire", "step_lif")
TARGETS = (
    Target("fixed.py", ("tests/test_fixed.py",)),
    Target("sim/rules/lif.py", RULES),
    Target("sim/rules/sigma_delta.py", RULES),
    Target("sim/rules/resonator.py", RULES),
    Target("sim/reference.py", ("tests/sim/test_reference.py",), interpreted=False),
    Target("sim/engine/words.py", ("tests/sim/engine/test_kernels.py",)),
    Target(
        "sim/engine/lif.py",
        ("tests/sim/engine/test_kernels.py",),
        ("step_lif_wide", "step_lif_any", "leaves_loihi1", "kept_long"),
    ),
    Target("sim/engine/lif.py", ("tests/sim/engine/test_lif.py",), VECTORS, interpreted=False),
    Target("sim/engine/sigma_delta.py", ("tests/sim/engine/test_kernels.py",)),
    Target("sim/engine/resonator.py", ("tests/sim/engine/test_kernels.py",)),
    Target("sim/engine/kernels.py", ("tests/sim/engine/test_kernels.py",)),
    Target("train/integer_kernel.py", ("tests/train/test_integer_rule.py",), ("fire", "_fire")),
    Target("train/integer_rule.py", ("tests/train/test_integer_rule.py",)),
)
