"""What is built is what is here: a folder or a file that the wheel forgets is noticed."""

import importlib.metadata
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import spikeport
from tests.built.tree import copy_tree

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PARTS = ["train", "export", "deploy", "sim"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of a copy, so that nothing is left in the work tree and nothing stale gets in; and its wheel."""
    folder = tmp_path_factory.mktemp("built")
    copy_tree(ROOT, folder / "tree")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "tree"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = (built / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built: Path) -> set[str]:
    """The names of its files, without the folder that they are in."""
    (path,) = (built / "dist").glob("*.tar.gz")
    assert path.name == f"spikeport-{spikeport.__version__}.tar.gz"
    with tarfile.open(path) as file:
        return {member.name.partition("/")[2] for member in file if member.isfile()}


def files_in(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_sdist_holds_every_file_of_the_tree(built: Path, sdist: set[str]) -> None:
    here = {p.relative_to(built / "tree").as_posix() for p in (built / "tree").rglob("*") if p.is_file()}
    made = {name for name in here if name.split("/")[0] in ("build", "spikeport.egg-info")}
    assert here - made - sdist == set()


def test_the_sdist_holds_nothing_that_is_built_or_cached(sdist: set[str]) -> None:
    parts = {part for name in sdist for part in name.split("/")}
    assert parts & {"__pycache__", "_build", ".git", ".venv", "dist", "demo", "htmlcov", ".coverage"} == set()
    assert [name for name in sdist if name.endswith((".pyc", ".nbi", ".nbc"))] == []


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    here = {p.relative_to(ROOT).as_posix() for p in (ROOT / "spikeport").rglob("*") if p.is_file()}
    assert {name for name in here if "__pycache__" not in name} - files_in(wheel) == set()


def test_the_wheel_holds_nothing_beside_the_package(wheel: Path) -> None:
    assert {name.split("/")[0] for name in files_in(wheel)} == {
        "spikeport",
        f"spikeport-{spikeport.__version__}.dist-info",
    }


def test_the_wheel_is_typed_licensed_and_pure(wheel: Path) -> None:
    names = files_in(wheel)
    assert "spikeport/py.typed" in names
    assert f"spikeport-{spikeport.__version__}.dist-info/licenses/LICENSE" in names
    assert wheel.name == f"spikeport-{spikeport.__version__}-py3-none-any.whl"


def test_the_wheel_has_the_command(wheel: Path) -> None:
    entry = f"spikeport-{spikeport.__version__}.dist-info/entry_points.txt"
    assert "spikeport = spikeport.cli:main" in zipfile.ZipFile(wheel).read(entry).decode()


def test_the_wheel_imports_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """`-P` and an empty folder keep the checkout off the path; the links of the root are then out of reach as well."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    parts = PARTS if find_spec("torch") else ["deploy", "sim"]
    modules = ", ".join(["spikeport", "spikeport.cli", *(f"spikeport.{part}" for part in parts)])
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import {modules}; print(spikeport.__file__)"
    (tmp_path / "empty").mkdir()
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path / "empty", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "site" / "spikeport" / "__init__.py")


@pytest.mark.parametrize("part", PARTS)
def test_the_root_shows_the_part_as_a_link(part: str) -> None:
    assert (ROOT / part).is_symlink()
    assert (ROOT / part).readlink() == Path("spikeport", part)
    assert (ROOT / part / "__init__.py").is_file()


def test_the_installed_command_starts_the_command_line() -> None:
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="spikeport")
    assert entry.value == "spikeport.cli:main"
    assert callable(entry.load())


def test_the_version_has_one_source() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert importlib.metadata.version("spikeport") == spikeport.__version__


def test_every_declared_dependency_is_pinned_in_the_constraints() -> None:
    """But those for interpreters on which the package itself does not install."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    extras = PROJECT["optional-dependencies"].values()
    declared = {r for group in (PROJECT["dependencies"], *extras) for r in group if "python_version" not in r}
    assert {requirement.split(">=")[0] for requirement in declared} - pinned == set()


def test_the_citation_is_of_this_release() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    cited = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))
    assert cited["cff-version"] == "1.2.0" and cited["message"] and "authors:" in text
    assert (cited["version"], cited["license"]) == (spikeport.__version__, PROJECT["license"])
