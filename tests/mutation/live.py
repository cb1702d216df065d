"""Mutates the integer kernels: python -m tests.mutation.live [FILE ...] [--every N] [--equivalent] [--write]

Each mutant runs the tests that are to catch it, in a process of its own. A mutant that no test catches has survived;
exit status 1 unless `equivalent.py` says why it may.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.runner import ROOT, survivors
from tests.mutation.targets import TARGETS, Target

HEAD = """# Mutants of the integer kernels

Written by `make mutation ARGS=--write`. Each row is a file of `spikeport/` in which one rounding, shift, comparison,
sign, constant, bound or logical operator at a time was changed (`tests/mutation/mutants.py`); a change is caught where
a test fails.
"""
WRITTEN = ROOT / "benchmarks" / "mutation.md"


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one target."""

    target: Target
    count: int
    equivalent: tuple[Mutant, ...]
    """Those with a reason in `equivalent.py`."""
    survivors: tuple[Mutant, ...]
    """Those without one that no test caught."""
    wrong: tuple[Mutant, ...] = ()
    """Those with a reason that a test has caught all the same."""


def reason(target: Target, mutant: Mutant) -> str | None:
    return EQUIVALENT.get(target.file, {}).get((mutant.text, str(mutant)))


def outcome_of(target: Target, chosen: Sequence[Mutant], jobs: int, doubt: bool) -> Outcome:
    """Mutants with a reason do not run, unless `doubt` asks whether it holds."""
    known = [mutant for mutant in chosen if reason(target, mutant)]
    found = survivors(target, [m for m in chosen if doubt or m not in known], jobs)
    wrong = tuple(m for m in known if doubt and m not in found)
    return Outcome(target, len(chosen), tuple(known), tuple(m for m in found if m not in known), wrong)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description="Mutates the integer kernels, and tells which mutants survive.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="as in sim/rules/lif.py; all if none is named")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th mutant of a file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="mutants at a time; one per core")
    parser.add_argument("--write", action="store_true", help=f"also write {WRITTEN.relative_to(ROOT)}")
    parser.add_argument("--equivalent", action="store_true", help="also run those that equivalent.py has a reason for")
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
        started, them = time.monotonic(), mutants_of(target)[:: args.every]
        outcomes.append(outcome := outcome_of(target, them, args.jobs, args.equivalent))
        took_s = time.monotonic() - started
        print(f"{target.name}: {outcome.count} mutants, {len(outcome.survivors)} survived, {took_s:.0f} s", flush=True)
        print("".join(f"  {place(target, m)}: SURVIVED\n" for m in outcome.survivors), end="", flush=True)
        print("".join(f"  {place(target, m)}: caught, so not equivalent\n" for m in outcome.wrong), end="", flush=True)
    print("\n" + "\n".join(table(outcomes)))
    if args.write:
        WRITTEN.write_text("\n".join(page(outcomes)) + "\n")
    sys.exit(any(outcome.survivors or outcome.wrong for outcome in outcomes))


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| file | mutants | caught | equivalent | survived |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    rows = [(f"`{o.target.name}`", o.count, len(o.equivalent), len(o.survivors)) for o in outcomes]
    rows.append(("all", *(sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True))))
    for name, count, equivalent, survived in rows:
        yield f"| {name} | {count} | {count - equivalent - survived} | {equivalent} | {survived} |"


def page(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """`benchmarks/mutation.md`."""
    yield from (
        HEAD,
        *table(outcomes),
        "",
        "## Equivalent",
        "",
        "What no test can tell from the code as it is, and why:",
        "",
    )
    for o in outcomes:
        yield from (f"- {place(o.target, m)}: {reason(o.target, m)}" for m in o.equivalent)


def place(target: Target, m: Mutant) -> str:
    return f"`{target.file}:{m.line}` in `{m.function or 'the module'}`: `{m}`"


def mutants_of(target: Target) -> list[Mutant]:
    found = mutants((ROOT / "spikeport" / target.file).read_text())
    return [m for m in found if m.function in target.functions] if target.functions else found


if __name__ == "__main__":
    main()
