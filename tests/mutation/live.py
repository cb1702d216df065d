"""Mutates the integer kernels: python -m tests.mutation.live [FILE ...] [--every N] [--equivalent] [--write]

Each mutant runs the tests that are to catch it, in a process of its own. A mutant that no test catches has survived;
exit status 1 unless `equivalent.py` says why it may.
"""

import argparse
import os
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
        started = time.monotonic()
        row, remarks = run(target, mutants_of(target)[:: args.every], args.jobs, args.equivalent)
        print(f"{target.name}: {row.count} mutants, {row.survived} survived, {time.monotonic() - started:.0f} s")
        print("".join(f"  {line}\n" for line in remarks), end="", flush=True)
        wrong += len(remarks)
        rows.append(row)
        if args.write:
            write(rows)
    print("\n" + "\n".join(table(rows)))
    sys.exit(wrong > 0)


def run(target: Target, chosen: Sequence[Mutant], jobs: int, doubt: bool) -> tuple[Row, list[str]]:
    """And a line for each that survived. Mutants with a reason do not run, unless `doubt` asks whether it holds."""
    known = [mutant for mutant in chosen if reason(target, mutant)]
    found = survivors(target, [m for m in chosen if doubt or m not in known], jobs)
    remarks = [f"{place(target, m)}: SURVIVED" for m in found if m not in known]
    row = Row(f"`{target.name}`", len(chosen), len(known), len(remarks))
    if doubt:
        remarks += [f"{place(target, m)}: caught, so not equivalent" for m in known if m not in found]
    return row, remarks


if __name__ == "__main__":
    main()
