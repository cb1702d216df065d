"""Every link between the pages of the repository leads to a file that is there, and to a heading that is in it."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)(?P<file>[^)#\s]*)(?:#(?P<heading>[^)\s]+))?\)")
CODE = re.compile(r"^(```|~~~).*?^\1|^    .*?$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    page
    for pattern in ("*.md", "benchmarks/*.md", "docs/**/*.md", "docs/**/*.ipynb")
    for page in ROOT.glob(pattern)
    if "_build" not in page.parts
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    lost = [link[0] for link in LINK.finditer(CODE.sub("", text(page))) if not leads_somewhere(page, link)]
    assert lost == []


def test_a_lost_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading, `code`\n[a](page.md) [b](gone.md) [c](#a-heading-code) [d](page.md#gone)\n")
    links = LINK.finditer(page.read_text())
    assert [leads_somewhere(page, link) for link in links] == [True, False, True, False]


def test_how_to_pages_and_tutorials_lead_to_each_other() -> None:
    how_to, tutorials = (sorted((ROOT / "docs" / name).glob("*.*")) for name in ("howto", "tutorials"))
    tutorials = [page for page in tutorials if page.suffix == ".ipynb"]
    from_how_to = {link["file"] for page in how_to for link in LINK.finditer(text(page))}
    assert [page.name for page in tutorials if f"../tutorials/{page.name}" not in from_how_to] == []
    for page in tutorials:
        assert any(link["file"].startswith("../howto/") for link in LINK.finditer(text(page))), page.name


def text(page: Path) -> str:
    """A page's Markdown."""
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def leads_somewhere(page: Path, link: re.Match[str]) -> bool:
    target = (page.parent / link["file"]) if link["file"] else page
    if not target.exists():
        return False
    return not link["heading"] or link["heading"] in {
        slug(line) for line in re.findall(r"^#+ (.*)$", text(target), re.M)
    }


def slug(heading: str) -> str:
    """The anchor that GitHub and MyST give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
