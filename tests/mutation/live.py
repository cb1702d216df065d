"""Mutates the integer kernels: python -m tests.mutation.live [FILE ...] [--every N] [--write] [--list]

Each mutant runs the tests that are to catch it, in a process of its own over a copy of the package. A mutant that no
test catches has survived; exit status 1 unless `equivalent.py` says why it may.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numba
import pytest
import torch
from hypothesis import Phase, settings

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.targets import TARGETS, Target

ROOT = Path(__file__).parents[2]
CPU_S = 120  # of one mutant; one that runs on for longer is caught
WRITTEN = ROOT / "benchmarks" / "mutation.md"


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one target."""

    target: Target
    count: int
    survivors: tuple[Mutant, ...]

    @property
    def unexplained(self) -> list[Mutant]:
        return [mutant for mutant in self.survivors if reason(self.target, mutant) is None]


def reason(target: Target, mutant: Mutant) -> str | None:
    return EQUIVALENT.get((target.file, mutant.function, str(mutant)))


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description="Mutates the integer kernels, and tells which mutants survive.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="as in sim/rules/lif.py; all if none is named")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th mutant of a file")
    parser.add_argument("--write", action="store_true", help=f"also write {WRITTEN.relative_to(ROOT)}")
    parser.add_argument("--list", action="store_true", help="run nothing; list the mutants")
    args = parser.parse_args()
    if unknown := set(args.files) - {target.file for target in TARGETS}:
        parser.error(f"{', '.join(sorted(unknown))}: not mutated; there are {', '.join(t.file for t in TARGETS)}")
    chosen = [target for target in TARGETS if not args.files or target.file in args.files]
    if args.list:
        print("\n".join(f"{t.file}:{m.line}  {m.kind}  {m}" for t in chosen for m in mutants_of(t)))
        return
    outcomes = []
    for target in chosen:
        outcomes.append(outcome := run_target(target, args.every))
        print(f"{target.name}: {outcome.count} mutants, {len(outcome.survivors)} survived", flush=True)
        print("".join(f"  {line}\n" for line in survived(outcome)), end="", flush=True)
    print("\n" + "\n".join(table(outcomes)))
    if args.write:
        WRITTEN.write_text("\n".join([*table(outcomes), "", *(f"- {s}" for o in outcomes for s in survived(o))]) + "\n")
    sys.exit(any(outcome.unexplained for outcome in outcomes))


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| file | mutants | caught | survived | of them without a reason |"
    yield "| --- | --- | --- | --- | --- |"
    for o in outcomes:
        name = f"`{o.target.file}`" + (f" ({', '.join(o.target.functions)})" if o.target.functions else "")
        yield f"| {name} | {o.count} | {o.count - len(o.survivors)} | {len(o.survivors)} | {len(o.unexplained)} |"
    count, survivors = sum(o.count for o in outcomes), sum(len(o.survivors) for o in outcomes)
    yield f"| all | {count} | {count - survivors} | {survivors} | {sum(len(o.unexplained) for o in outcomes)} |"


def survived(outcome: Outcome) -> Iterator[str]:
    for m in outcome.survivors:
        why = reason(outcome.target, m) or "SURVIVED"
        yield f"`spikeport/{outcome.target.file}:{m.line}` in `{m.function}`: `{m}`: {why}"


def mutants_of(target: Target) -> list[Mutant]:
    found = mutants((ROOT / "spikeport" / target.file).read_text())
    return [m for m in found if m.function in target.functions] if target.functions else found


def run_target(target: Target, every: int = 1) -> Outcome:
    """Raises SystemExit if the tests fail without any change."""
    source, chosen = (ROOT / "spikeport" / target.file).read_text(), mutants_of(target)[::every]
    with tempfile.TemporaryDirectory(prefix="spikeport-mutants-") as folder:
        copy(Path(folder))
        file = Path(folder, "spikeport", target.file)
        if not passes(target, Path(folder), quiet=False):
            raise SystemExit(f"{target.name}: {' '.join(target.tests)} fail as it is; mend that first")
        survivors = []
        for k, mutant in enumerate(chosen):
            file.write_text(mutant.applied(source))
            os.utime(file, (k, k))  # else one of the same size and second is taken for the one before
            if passes(target, Path(folder)):
                survivors.append(mutant)
    return Outcome(target, len(chosen), tuple(survivors))


def copy(folder: Path) -> None:
    """The package and its tests, without what was compiled."""
    for part in ("spikeport", "tests"):
        shutil.copytree(
            ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "vectors"), symlinks=True
        )
    for name in ("tests/vectors", "docs", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", folder)


def passes(target: Target, folder: Path, quiet: bool = True) -> bool:
    """Whether the target's tests pass in the copy; in a fork, so that no mutant has to import torch and numba."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(_tested(target, folder, quiet))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _tested(target: Target, folder: Path, quiet: bool) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["NUMBA_DISABLE_JIT"] = str(int(target.interpreted))  # of processes that a test starts
    numba.config.DISABLE_JIT = int(target.interpreted)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] in ("spikeport", "tests")]:
        del sys.modules[name]
    if quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    try:
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)
        options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=mutation"]
        return int(pytest.main([*options, *target.tests]))
    except BaseException as error:  # of whatever kind: the mutant did not pass
        print(f"{type(error).__name__}: {error}")
        return 1


if __name__ == "__main__":
    main()
