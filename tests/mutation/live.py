"""Mutates the integer kernels: python -m tests.mutation.live [FILE ...] [--every N] [--equivalent] [--write]

Each mutant runs the tests that are to catch it, in a process of its own. A mutant that no test catches has survived;
exit status 1 unless `equivalent.py` says why it may.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Sequence

import torch

from tests.mutation.mutants import Mutant
from tests.mutation.page import ROOT, WRITTEN, Row, mutants_of, place, reason, table, write
from tests.mutation.runner import survivors
from tests.mutation.targets import TARGETS, Target


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
    if args.write and args.every > 1:
        parser.error("--write is of all mutants of a file, and not of some")
    chosen = [target for target in TARGETS if not args.files or target.file in args.files]
    if args.list:
        print("\n".join(f"{t.file}:{m.line}  {m.kind}  {m}" for t in chosen for m in mutants_of(t)))
        return
    rows, wrong = [], 0
    for target in chosen:
        started, before_s = time.monotonic(), cpu_s()
        row, so_far = run(target, mutants_of(target)[:: args.every], args.jobs, args.equivalent)
        took = f"{time.monotonic() - started:.0f} s, {cpu_s() - before_s:.0f} s of CPU"
        print(f"{target.name}: {row.count} mutants, {row.survived} survived; {took}", flush=True)
        wrong += so_far
        rows.append(row)
        if args.write:
            write(rows)
    print("\n" + "\n".join(table(rows)))
    sys.exit(wrong > 0)


def run(target: Target, chosen: Sequence[Mutant], jobs: int, doubt: bool) -> tuple[Row, int]:
    """And how many are not as they should be. Those with a reason do not run, unless `doubt` asks whether it holds."""
    known = [mutant for mutant in chosen if reason(target, mutant)]
    survived, equivalent = 0, []
    for mutant in survivors(target, [m for m in chosen if doubt or m not in known], jobs):
        if mutant in known:
            equivalent.append(mutant)
            continue
        survived += 1
        print(f"  {place(target, mutant)}: SURVIVED", flush=True)
    caught = [m for m in known if doubt and m not in equivalent]
    for mutant in caught:
        print(f"  {place(target, mutant)}: caught, so not equivalent", flush=True)
    return Row(f"`{target.name}`", len(chosen), len(known), survived), survived + len(caught)


def cpu_s() -> float:
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
