"""The mutator changes what it says, and a few mutants of each kind of kernel are caught; `make mutation` runs all."""

import ast
import subprocess
import sys

import pytest

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import mutants
from tests.mutation.page import ROOT, mutants_of
from tests.mutation.targets import TARGETS, Target

SOURCE = '''"""A text with 1 >> 2."""

from a.b import c

LIMIT = 7


def f(x: int = 3, *, y: "int" = -4) -> int:
    if 0 <= x < LIMIT and y == x:
        return x >> y
    return min(x + 1, c.maximum(y, f"{x}"))


def g(x: float) -> float:
    return round(x) // np.rint(x) + np.ceil(x).round()
'''


def test_every_change_is_as_described() -> None:
    assert [(m.line, m.kind, m.before, m.after) for m in mutants(SOURCE)] == [
        (5, "constant", "7", "8"),
        (8, "constant", "3", "4"),
        (8, "sign", "-4", "4"),
        (8, "constant", "4", "5"),
        (9, "constant", "0", "1"),
        (9, "comparison", "0 <= x < LIMIT", "(0 < x and x < LIMIT)"),
        (9, "comparison", "0 <= x < LIMIT", "(0 <= x and x < LIMIT + 1)"),
        (9, "logic", "0 <= x < LIMIT and y == x", "((0 <= x < LIMIT) or (y == x))"),
        (9, "comparison", "y == x", "(y != x)"),
        (10, "rounding", "x >> y", "(((x) * -1 >> y) * -1)"),
        (10, "shift", "x >> y", "(x >> y + 1)"),
        (10, "shift", "x >> y", "(x << y)"),
        (11, "bound", "min(x + 1, c.maximum(y, f\"{x}\"))", "max(x + 1, c.maximum(y, f'{x}'))"),
        (11, "sign", "x + 1", "(x - 1)"),
        (11, "constant", "1", "2"),
        (11, "bound", "c.maximum(y, f\"{x}\")", "c.minimum(y, f'{x}')"),
        (15, "rounding", "round(x)", "int(x)"),
        (15, "rounding", "round(x) // np.rint(x)", "(-(-round(x) // np.rint(x)))"),
        (15, "sign", "round(x) // np.rint(x) + np.ceil(x).round()", "((round(x) // np.rint(x)) - np.ceil(x).round())"),
        (15, "rounding", "np.rint(x)", "np.floor(x)"),
        (15, "rounding", "np.ceil(x)", "np.floor(x)"),
        (15, "rounding", "np.ceil(x).round()", "(np.ceil(x) // 1)"),
    ]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_mutant_of_a_kernel_is_python_and_another_program(target: Target) -> None:
    found = mutants_of(target)
    assert found and set(target.functions) <= {mutant.function for mutant in found}
    for mutant in found:
        before, after = (ast.dump(ast.parse(f"({text})", mode="eval")) for text in (mutant.before, mutant.after))
        assert before != after, mutant


def test_every_reason_is_of_a_mutant_that_there_is() -> None:
    there = {(target.file, m.text, str(m)) for target in TARGETS for m in mutants_of(target)}
    assert {(file, *change) for file, them in EQUIVALENT.items() for change in them} - there == set()


def live(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutation.live", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_few_slips_in_a_kernel_are_caught() -> None:
    """Of constants and in functions."""
    done = live("sim/engine/words.py", "--every", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sim/engine/words.py: 7 mutants, 0 survived" in done.stdout


def test_a_slip_that_no_test_notices_is_named_and_exits_1() -> None:
    """The tests of errors do not look at resonators."""
    code = (
        "import sys; from tests.mutation import live; from tests.mutation.targets import Target\n"
        "live.TARGETS = (Target('sim/engine/resonator.py', ('tests/errors/test_base.py',)),)\n"
        "sys.argv = ['live', '--every', '22']; live.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "SURVIVED" in done.stdout and "| all | 2 | 0 | 0 | 2 |" in done.stdout
