"""The import arrows: the parts meet at the floor, and `deploy` and `sim` at `Program`."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spikeport"
PARTS = {"train", "export", "deploy", "sim"}
MAY_IMPORT = {
    "train": {"train"},
    "export": {"export", "train"},
    "deploy": {"deploy"},
    "sim": {"sim"},
    "foreign": set(),
    "bench": {"bench", "deploy", "sim", "train"},
    "commands": {"commands", "bench", *PARTS},
    "cli": {"cli", "commands", "bench", *PARTS},
}
THREE_PARTS = {"spikeport.train", "spikeport.deploy", "spikeport.sim"}
HEAVY = {"torch", "numba", "numpy", "scipy", "matplotlib", "h5py", "pandas", "nir", "jinja2"}
FLOOR = sorted((*PACKAGE.glob("*.py"), *(PACKAGE / "errors").glob("*.py")))
FOLDERS = sorted(path for folder in MAY_IMPORT for path in (PACKAGE / folder).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported below a node of the syntax tree, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def at_import(tree: ast.Module) -> Iterator[str]:
    """What runs when the module is imported: all but the bodies of functions."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    later = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in later:
            yield from imports(node)


def folders_of(modules: Iterator[str]) -> set[str]:
    """The folders of spikeport among imported modules: `spikeport.sim.result` is of `sim`."""
    return {m.split(".")[1] for m in modules if m.startswith("spikeport.")} & MAY_IMPORT.keys()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_folder_of_the_package_has_its_arrows() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__", "errors"} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("path", [p for p in FLOOR if p.name != "__main__.py"], ids=name_of)
def test_the_floor_imports_no_part(path: Path) -> None:
    assert folders_of(imports(parse(path))) == set()


@pytest.mark.parametrize("path", FOLDERS, ids=name_of)
def test_a_part_imports_only_what_its_arrows_allow(path: Path) -> None:
    folder = path.relative_to(PACKAGE).parts[0]
    assert folders_of(imports(parse(path))) <= MAY_IMPORT[folder]


@pytest.mark.parametrize("path", [p for p in FOLDERS if "deploy" in p.parts or "sim" in p.parts], ids=name_of)
def test_deploy_and_sim_do_not_import_torch_but_for_the_dense_engine(path: Path) -> None:
    optional_engine = path.parts[-3:] == ("sim", "engine", "dense.py")
    assert optional_engine == ("torch" in {module.split(".")[0] for module in imports(parse(path))})


def test_the_command_line_imports_parts_inside_its_functions_only() -> None:
    for path in (PACKAGE / "cli").glob("*.py"):
        assert folders_of(at_import(parse(path))) <= {"cli"}


@pytest.mark.parametrize("path", [*FLOOR, *FOLDERS], ids=name_of)
def test_nothing_is_imported_through_the_links_at_the_root(path: Path) -> None:
    assert not PARTS & {module.split(".")[0] for module in imports(parse(path))}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("spikeport", {"typer", "spikeport.program", *HEAVY, *THREE_PARTS}),
        ("spikeport.cli", {"spikeport.program", *HEAVY, *THREE_PARTS}),
        ("spikeport.deploy", {"torch", "spikeport.train", "spikeport.sim"}),
        ("spikeport.sim", {"torch", "spikeport.train", "spikeport.deploy"}),
    ],
)
def test_a_module_loads_nothing_heavy_that_it_has_no_arrow_to(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    assert not absent & set(loaded)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["bench", "start", "--help"], ["doctor", "--help"]]
)
def test_help_loads_no_package_that_takes_long(arguments: list[str]) -> None:
    """Modules are counted and not seconds; `spikeport bench start` has the seconds."""
    code = (
        "import sys; from spikeport.cli import main\n"
        f"sys.argv = ['spikeport', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    loaded = done.stderr.split()
    assert "spikeport.cli.app" in loaded
    assert not (HEAVY | THREE_PARTS) & set(loaded)
