"""Mutates the integer kernels: python -m tests.mutation.live [FILE ...] [--every N] [--write] [--list]

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
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="mutants at a time; one per core")
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
        started, them = time.monotonic(), mutants_of(target)[:: args.every]
        outcomes.append(outcome := Outcome(target, len(them), tuple(survivors(target, them, args.jobs))))
        took_s = time.monotonic() - started
        print(f"{target.name}: {outcome.count} mutants, {len(outcome.survivors)} survived, {took_s:.0f} s", flush=True)
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


if __name__ == "__main__":
    main()
