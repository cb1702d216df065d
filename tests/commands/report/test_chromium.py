"""A report in a browser: no console error, nothing asked of the network, every section, no overflow, on paper too."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from spikeport.commands.report.page import write_page
from spikeport.commands.report.sections import sections
from tests.chromium import browse, needs_chromium, overflow, visit
from tests.reports import SECTIONS, of_kind

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    of = replace(of_kind("bias"), title="a network with a-name-that-is-long-enough-to-reach-beyond-any-narrow-window")
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_page(path, of.title, of.lede, sections(of))
    return path


def test_it_is_whole_silent_and_asks_for_nothing(page: Path, tmp_path: Path) -> None:
    found = visit(page, tmp_path)
    assert found.console == []
    assert found.requests == []
    assert re.findall(r'<section id="([\w-]+)"', found.dom) == SECTIONS
    assert found.dom.count("</section>") == len(SECTIONS)


def test_what_is_wrong_with_a_page_is_noticed(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="https://a.invalid/x.png"><div style="width:900px">x</div><script>missing()</script>')
    found = visit(bad, tmp_path)
    assert any("missing is not defined" in line for line in found.console)
    assert "https://a.invalid/x.png" in found.requests
    assert overflow(bad, 390, tmp_path) == ["DIV.null"]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_reaches_beyond_the_window(page: Path, width: int, tmp_path: Path) -> None:
    assert overflow(page, width, tmp_path) == []


def test_it_prints(page: Path, tmp_path: Path) -> None:
    browse(page, tmp_path, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    printed = (tmp_path / "report.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 5 <= pages <= 20
