"""Runs the tests of a target against its mutants, each in a fork of one process that has imported everything.

A mutant inside a function takes the place of that function's code, and of nothing else. One that does not show there
(a module's constant, a default, what numba has compiled) is written into a copy of the package, and all is imported
again; so is one that no test has caught, because something in the process may remember the code as it was.
"""

import gc
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import numba
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutation.mutants import Mutant
from tests.mutation.targets import Target

ROOT = Path(__file__).parents[2]
MEMORY = 8 << 30  # bytes of one mutant; one that takes more is caught
TIMES, MORE_S = 3, 10
"""CPU time of one mutant: so many times what the tests take as they are, and so much more. It is caught after that."""


def survivors(target: Target, chosen: Sequence[Mutant], jobs: int) -> list[Mutant]:
    """Those that no test catches. Raises SystemExit if the tests fail without any change."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os._exit(_serve(target, chosen, jobs, writer))
        os.close(writer)
        with os.fdopen(reader) as lines:
            found = [int(line) for line in lines]
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            said.seek(0)
            raise SystemExit(f"{said.read()}\n{target.name}: {' '.join(target.tests)} fail as it is; mend that first")
    return [chosen[k] for k in sorted(found)]


def _serve(target: Target, chosen: Sequence[Mutant], jobs: int, writer: int) -> int:
    with tempfile.TemporaryDirectory(prefix="spikeport-mutants-") as folder:
        return _pytest(target, ROOT, [Server(target, chosen, [Path(folder, str(k)) for k in range(jobs)], writer)])


def _pytest(target: Target, root: Path, plugins: Sequence[object] = ()) -> int:
    """The target's tests on the package below `root`, which is imported anew."""
    interpreted = target.way == "interpreted"
    os.environ["NUMBA_DISABLE_JIT"] = str(int(interpreted))  # of processes that a test starts
    numba.config.DISABLE_JIT = int(interpreted)
    os.chdir(root)
    sys.path[:] = [str(root), *(place for place in sys.path if place not in ("", str(ROOT)))]
    for name in [name for name in sys.modules if name.split(".")[0] in ("spikeport", "tests")]:
        del sys.modules[name]
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=mutation"]
    if interpreted:
        options += ["-p", "tests.mutation.interpreted"]
    try:
        return int(pytest.main([*options, *target.tests], plugins=list(plugins)))
    except BaseException as error:  # of whatever kind: the tests did not pass
        print(f"{type(error).__name__}: {error}")
        return 1


@dataclass(eq=False)
class Server:
    """A plugin: once pytest has collected the tests, it runs them as they are, and then for each mutant."""

    target: Target
    mutants: Sequence[Mutant]
    folders: Sequence[Path]
    """Room for copies of the package, one for each mutant that runs at a time."""
    survivors: int
    """Where their numbers are written, each on a line, as soon as they are known."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed or not session.items:
            raise session.Failed(f"{session.testsfailed} errors in collection")
        self.items, started = list(session.items), time.process_time()
        if (failed := _first_failure(self.items, log=True)) is not None:  # also compiles what is compiled
            session.testsfailed = 1
            raise session.Failed(failed.nodeid)
        self.cpu_s = TIMES * (time.process_time() - started) + MORE_S
        gc.collect()
        gc.freeze()  # else each fork copies all pages when it collects
        self.source = (ROOT / "spikeport" / self.target.file).read_text()
        if not self._survives_again():
            raise session.Failed("the tests do not pass twice")
        self._all()
        return True

    def _survives_again(self) -> bool:
        return self._ended(self._forked(lambda: self._tested(None))) == 0

    def _all(self) -> None:
        """Keeps as many mutants running as there are folders."""
        free, running = list(self.folders), dict[int, tuple[Path, int, bool]]()
        waiting = [(k, False) for k in reversed(range(len(self.mutants)))]
        while waiting or running:
            while waiting and free:
                k, again = waiting.pop()
                folder = free.pop()
                code = None if again else code_of(self.target, self.mutants[k], self.source)
                if code is None and not folder.exists():
                    copy(folder)
                pid = self._forked(lambda code=code, k=k, folder=folder: self._run(code, k, folder))
                running[pid] = folder, k, code is None
            pid, status = os.wait()
            if pid not in running:  # what a test has left behind
                continue
            folder, k, again = running.pop(pid)
            free.append(folder)
            if status == 0 and again:
                os.write(self.survivors, f"{k}\n".encode())
            elif status == 0:
                waiting.append((k, True))
            else:
                self._learn(folder)

    def _run(self, code: tuple[FunctionType, CodeType] | None, k: int, folder: Path) -> int:
        if code is not None:
            code[0].__code__ = code[1]
            return self._tested(folder)
        file = folder / "spikeport" / self.target.file
        file.write_text(self.mutants[k].applied(self.source))
        os.utime(file, (k, k))  # else one of the same size and second is taken for the one before
        for kept in folder.rglob("*.nb[ci]"):  # numba keeps what calls the mutant, and does not know it
            kept.unlink()
        return _pytest(self.target, folder)

    def _forked(self, what) -> int:  # type: ignore[no-untyped-def]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (int(self.cpu_s), int(self.cpu_s)))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
                status = what()
            finally:
                os._exit(status)
        return child

    def _ended(self, child: int) -> int:
        return os.waitpid(child, 0)[1]

    def _tested(self, folder: Path | None) -> int:
        failed = _first_failure(self.items)
        if failed is not None and folder is not None:
            folder.with_suffix(".caught").write_text(str(self.items.index(failed)))
        return int(failed is not None)

    def _learn(self, folder: Path) -> None:
        """The test that has caught one comes first for the next: it is likely to see that, too."""
        note = folder.with_suffix(".caught")
        if note.exists():
            self.items.insert(0, self.items.pop(int(note.read_text())))
            note.unlink()


def _first_failure(items: Sequence[pytest.Item], log: bool = False) -> pytest.Item | None:
    for item, following in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, log=log, nextitem=following)):
            return item
    return None


def code_of(target: Target, mutant: Mutant, source: str) -> tuple[FunctionType, CodeType] | None:
    """The function as it is imported, and its code as the mutant has it; None where that is not all that changes."""
    if target.way == "compiled":
        return None
    module = sys.modules.get("spikeport." + target.file.removesuffix(".py").replace("/", "."))
    function = getattr(module, mutant.function, None)
    if not isinstance(function, FunctionType) or function.__closure__:
        return None
    before, after = (list(_functions(text, function)) for text in (source, mutant.applied(source)))
    return (function, after[0]) if len(after) == 1 and before != after else None


def _functions(source: str, function: FunctionType) -> Iterator[CodeType]:
    """Its code in a file: what the module itself defines under that name."""
    for code in compile(source, function.__code__.co_filename, "exec").co_consts:
        if isinstance(code, CodeType) and code.co_name == function.__name__:
            yield code


def copy(folder: Path) -> None:
    """The package and its tests, without what was compiled."""
    for part in ("spikeport", "tests"):
        shutil.copytree(
            ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "vectors"), symlinks=True
        )
    for name in ("tests/vectors", "docs", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
