"""Reports, and pages of `map` and `energy`, in a browser: silent, whole, legible, within the window, on paper too."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from spikeport.commands.mapping import page as mapping
from spikeport.commands.report.known import Known
from spikeport.commands.report.of_bundle import of_bundle
from spikeport.commands.report.of_program import Asked
from spikeport.commands.report.page import write_page
from spikeport.commands.report.sections import sections
from spikeport.commands.report.training import write_training
from spikeport.sim.energy import page as energy
from tests.chromium import THEMES, WIDTHS, Seen, browse, look, needs_chromium
from tests.reports import PICTURED, SECTIONS, bundle, hostile, known, long_names, of_kind
from tests.train.test_report import report as of_training

pytestmark = needs_chromium
WHOLE = {"program": SECTIONS, "long names": SECTIONS, "hostile": SECTIONS, "autoencoder": PICTURED,
         "training": ["overview", "training", "recipe", "confusion", "reproduce"], "map": [], "energy": []}  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    here = tmp_path_factory.mktemp("report")
    long, inputs = long_names()
    title = "a network with a-name-that-is-long-enough-to-reach-beyond-any-narrow-window-even-in-small-letters"
    shown: dict[str, Known] = {
        "program": of_kind("bias"),
        "long names": replace(known(long, inputs), title=title, warnings=[title], command=title),
        "hostile": hostile(),
        "autoencoder": of_bundle(Asked(bundle(here), here / "autoencoder.html", here / "x.npz")),
    }
    for name, of in shown.items():
        write_page(here / f"{name}.html", of.title, of.lede, sections(of))
    write_training(here / "training.html", of_training())
    net = shown["program"]
    assert net.mapping is not None and net.program is not None
    mapping.write_page(here / "map.html", "net.h5", net.mapping)
    energy.write_page(here / "energy.html", "net.h5", net.program, net.energies)
    return {name: here / f"{name}.html" for name in WHOLE}


@pytest.fixture(scope="module")
def seen(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return look(pages, tmp_path_factory.mktemp("chromium"))


def test_the_console_is_silent_and_nothing_is_asked_of_the_network(seen: Seen) -> None:
    assert (seen.console, seen.requests) == ([], [])


def test_every_section_is_there(seen: Seen) -> None:
    assert len(seen.views) == len(WHOLE) * len(WIDTHS) * len(THEMES)
    assert all(view.sections == WHOLE[view.page] for view in seen.views)


def test_nothing_reaches_beyond_the_window(seen: Seen) -> None:
    assert [(view.page, view.width, view.wide) for view in seen.views if view.wide] == []


def test_every_text_can_be_told_from_what_is_behind_it(seen: Seen) -> None:
    assert [(view.page, view.dark, view.faint) for view in seen.views if view.faint] == []


def test_a_keyboard_reaches_everything_in_order_and_it_is_seen(seen: Seen) -> None:
    assert [(view.page, view.width, view.unfocused) for view in seen.views if view.unfocused] == []


def test_what_is_wrong_with_a_page_is_noticed(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<meta name="color-scheme" content="light dark"><img src="https://a.invalid/x.png">'
        '<div style="width:1900px">x</div><p style="color: #999; background: #fff">faint</p>'
        '<a href="#x" style="outline: none">x</a><a href="#y" tabindex="2">y</a><script>missing()</script>'
    )
    found = look({"bad": bad}, tmp_path)
    assert any("missing is not defined" in line for line in found.console)
    assert "https://a.invalid/x.png" in found.requests
    for view in found.views:
        assert view.wide == ["DIV.null"]
        assert "P.null faint: 2.85" in view.faint
        assert view.unfocused == ["A.null", "A.null"]


def test_it_prints(pages: dict[str, Path], tmp_path: Path) -> None:
    browse(pages["program"], tmp_path, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20
