"""Runs the tests of a target against its mutants, each in a fork of one process that has imported everything.

A mutant inside a function takes the place of that function's code, and of nothing else. Where that is not enough (a
module's constant, a default, what numba has compiled), the module is imported anew with all that imports it; so it is
for a mutant that no test has caught, because something in the process may remember the code as it was.
"""

import ast
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
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
TIMES, MORE_S = 2, 10
"""CPU time of one mutant: so many times what the tests take as they are, and so much more. It is caught after that."""


def survivors(target: Target, chosen: Sequence[Mutant], jobs: int) -> Iterator[Mutant]:
    """Those that no test catches, as soon as they are known.

    Raises SystemExit if the tests fail without any change.
    """
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
            for line in lines:
                yield chosen[int(line)]
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            said.seek(0)
            raise SystemExit(f"{said.read()}\n{target.name}: {' '.join(target.tests)} fail as it is; mend that first")


def _serve(target: Target, chosen: Sequence[Mutant], jobs: int, writer: int) -> int:
    interpreted = target.way == "interpreted"
    os.environ["NUMBA_DISABLE_JIT"] = str(int(interpreted))  # of processes that a test starts
    numba.config.DISABLE_JIT = int(interpreted)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    _forget(name for name in sys.modules if name.split(".")[0] in ("spikeport", "tests"))
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)
    with tempfile.TemporaryDirectory(prefix="spikeport-mutants-") as folder:
        return _pytest(target, [Server(target, chosen, [Path(folder, str(k)) for k in range(jobs)], writer)])


def _forget(names: Iterable[str]) -> None:
    for name in list(names):
        sys.modules.pop(name, None)


def _pytest(target: Target, plugins: Sequence[object] = ()) -> int:
    """The target's tests on whatever is imported, or found now."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=mutation"]
    if target.way == "interpreted":
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
    notes: Sequence[Path]
    """Where a mutant leaves word of which test has caught it, one for each that runs at a time."""
    survivors: int
    """Where their numbers are written, each on a line, as soon as they are known."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed or not session.items:
            raise session.Failed(f"{session.testsfailed} errors in collection")
        took_s, started = dict[pytest.Item, float](), time.process_time()
        if (failed := _first_failure(session.items, took_s)) is not None:  # also compiles what is compiled
            session.testsfailed = 1
            raise session.Failed(failed.nodeid)
        self.cpu_s = TIMES * (time.process_time() - started) + MORE_S
        self.items = sorted(took_s, key=took_s.__getitem__)  # the quick ones first
        gc.collect()
        gc.freeze()  # else each fork copies all pages when it collects
        self.source = (ROOT / "spikeport" / self.target.file).read_text()
        self.importers = importers(self.target.module)
        for again in (self._tested, partial(self._imported, self.source, self.notes[0])):
            if os.waitpid(self._forked(again), 0)[1]:
                raise session.Failed("the tests do not pass twice in one process")
        self._all()
        return True

    def _all(self) -> None:
        """Keeps as many mutants running as there are notes."""
        free, running = list(self.notes), dict[int, tuple[Path, int, bool]]()
        waiting = [(k, False) for k in reversed(range(len(self.mutants)))]
        while waiting or running:
            while waiting and free:
                (k, anew), note = waiting.pop(), free.pop()
                code = None if anew else code_of(self.target, self.mutants[k], self.source)
                fresh = partial(self._imported, self.mutants[k].applied(self.source), note)
                pid = self._forked(partial(self._swapped, code, note) if code else fresh)
                running[pid] = note, k, code is None
            pid, status = os.wait()
            if pid not in running:  # what a test has left behind
                continue
            note, k, anew = running.pop(pid)
            free.append(note)
            if status == 0 and anew:
                os.write(self.survivors, f"{k}\n".encode())
            elif status == 0:
                waiting.append((k, True))
            elif note.exists():  # the test that has caught one comes first for the next, which it may well see, too
                self.items.insert(0, self.items.pop(int(note.read_text())))
                note.unlink()

    def _forked(self, what: Callable[[], int]) -> int:
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

    def _swapped(self, code: tuple[FunctionType, CodeType], note: Path) -> int:
        code[0].__code__ = code[1]
        return self._tested(note)

    def _tested(self, note: Path | None = None) -> int:
        failed = _first_failure(self.items)
        if failed is not None and note is not None:
            note.write_text(str(self.items.index(failed)))
        return int(failed is not None)

    def _imported(self, source: str, note: Path) -> int:
        numba.config.CACHE_DIR = f"{note}-{os.getpid()}"  # what numba keeps does not know the mutant
        sys.meta_path.insert(0, Finder(self.target, source))
        _forget(self.importers)
        for name in self.importers:  # else `from package import module` finds the one that was
            package, _, module = name.rpartition(".")
            if package in sys.modules:
                vars(sys.modules[package]).pop(module, None)
        return _pytest(self.target)


class Finder:
    """Finds a target with another source than its file's."""

    def __init__(self, target: Target, source: str) -> None:
        self.target, self.source = target, source

    def find_spec(self, name: str, path: object = None, module: object = None) -> ModuleSpec | None:
        if name != self.target.module:
            return None
        return spec_from_loader(name, Loader(name, str(ROOT / "spikeport" / self.target.file), self.source))


class Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


def importers(module: str) -> set[str]:
    """That module, and all that is loaded of the package and its tests and imports it, if by way of others.

    What lies in a package of which that is true belongs to it: it would be imported before its package.
    """
    imports = {
        name: _imports(Path(loaded.__file__).read_text())
        for name, loaded in sys.modules.items()
        if name.split(".")[0] in ("spikeport", "tests") and getattr(loaded, "__file__", None)
    }
    found: set[str] = set()
    more = {module}
    while more:
        found |= more
        more = {name for name, them in imports.items() if them & found or name.rpartition(".")[0] in found} - found
    return found


def _imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _first_failure(items: Sequence[pytest.Item], took_s: dict[pytest.Item, float] | None = None) -> pytest.Item | None:
    for item, following in zip(items, [*items[1:], None], strict=True):
        reports = runtestprotocol(item, log=took_s is not None, nextitem=following)
        if any(report.failed for report in reports):
            return item
        if took_s is not None:
            took_s[item] = sum(report.duration for report in reports)
    return None


def code_of(target: Target, mutant: Mutant, source: str) -> tuple[FunctionType, CodeType] | None:
    """The function as it is imported, and its code as the mutant has it; None where that is not all that changes."""
    if target.way == "compiled":
        return None
    function = getattr(sys.modules.get(target.module), mutant.function, None)
    if not isinstance(function, FunctionType) or function.__closure__:
        return None
    before, after = (list(_functions(text, function)) for text in (source, mutant.applied(source)))
    return (function, after[0]) if len(after) == 1 and before != after else None


def _functions(source: str, function: FunctionType) -> Iterator[CodeType]:
    """Its code in a file: what the module itself defines under that name."""
    for code in compile(source, function.__code__.co_filename, "exec").co_consts:
        if isinstance(code, CodeType) and code.co_name == function.__name__:
            yield code
