"""A report's page: every section is there, it needs nothing, it is escaped, and it can be used without a picture."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from numpy.typing import NDArray

from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.conformed import parts_of
from spikeport.commands.report.confusion import DEEPEST
from spikeport.commands.report.known import Known
from spikeport.commands.report.of_bundle import of_bundle
from spikeport.commands.report.of_program import Asked, known_of
from spikeport.commands.report.page import write_page
from spikeport.commands.report.sections import sections
from spikeport.errors import FileError
from spikeport.page import BITMAP_RGB
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim.random_programs import random_program
from tests.html_page import Page, assert_stands_alone
from tests.reports import HOSTILE, PICTURED, SECTIONS, bundle, hostile, known, of_kind, program, rendered

MOST_BYTES = 3_000_000


class Outline(HTMLParser):
    """What a screen reader goes by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.landmarks: list[str] = []
        self.tables: list[list[str]] = []
        self.pictures: list[tuple[dict[str, str | None], list[str]]] = []
        self.unscoped = 0
        self.regions: list[dict[str, str | None]] = []
        self.alternatives: list[str | None] = []
        self.svg = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("header", "nav", "main", "footer"):
            self.landmarks.append(tag)
        if tag == "table":
            self.tables.append([])
        if self.tables and tag in ("caption", "th"):
            self.tables[-1].append(tag)
        self.unscoped += tag == "th" and given.get("scope") not in ("row", "col")
        if given.get("tabindex") == "0":
            self.regions.append(given)
        if tag == "img":
            self.alternatives.append(given.get("alt"))
        if tag == "svg":
            self.pictures.append((given, []))
        self.svg += tag == "svg"
        if self.svg:
            self.pictures[-1][1].append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.svg -= tag == "svg"


def bare() -> Known:
    net = program()
    return known_of(mapped(net, net.chip), None, "net.h5", "net.h5")


def autoencoder() -> Known:
    with TemporaryDirectory() as name:
        of = of_bundle(Asked(bundle(Path(name), images=2), Path("r.html"), Path(name) / "x.npz"))
    return replace(of, command="", commands=())  # which name the folder


EVERY = {"bare": bare, "host": lambda: of_kind("bias"), "spikes": lambda: of_kind("spike"), "hostile": hostile,
         "autoencoder": autoencoder}  # fmt: skip


@pytest.fixture(scope="module", params=EVERY)
def page(request: pytest.FixtureRequest) -> str:
    return rendered(EVERY[request.param]())


@pytest.fixture
def wanted(request: pytest.FixtureRequest) -> list[str]:
    """Of `page`."""
    return PICTURED if request.node.callspec.params["page"] == "autoencoder" else SECTIONS


def test_every_section_is_there_in_order(page: str, wanted: list[str]) -> None:
    assert [name for name in Page(page).ids if name in wanted] == wanted


def test_it_stands_alone_and_is_small(page: str) -> None:
    assert_stands_alone(page)
    assert len(page.encode()) < MOST_BYTES


def test_the_table_of_contents_and_the_skip_link_lead_somewhere(page: str, wanted: list[str]) -> None:
    links = re.findall(r'<a [^>]*href="#([\w-]+)"', page)
    assert links == ["main", *wanted]
    assert set(links) <= set(Page(page).ids)


def test_it_can_be_read_without_seeing_it(page: str) -> None:
    outline = Outline(page)
    assert outline.landmarks == ["header", "nav", "main", "footer"]
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.unscoped == 0
    assert all(tags[0] == "caption" and "th" in tags for tags in outline.tables)
    assert all(region.get("role") == "region" and region.get("aria-label") for region in outline.regions)
    assert all(outline.alternatives)
    names = [region["aria-label"] for region in outline.regions if region["aria-label"] != "Commands"]
    assert len(names) == len(set(names))
    for attributes, tags in outline.pictures:
        assert attributes.get("role") == "img"
        assert attributes.get("aria-label") or tags[1:3] == ["title", "desc"]


def test_what_is_missing_says_what_to_give() -> None:
    text = Page(rendered(bare())).text
    for said in ("For an accuracy give samples", "--nir NET.NIR", "For rates, SOPs and saturation give samples",
                 "For a confusion matrix", "For operation counts", "--verify, which"):  # fmt: skip
        assert said in text


def test_what_is_given_is_escaped_and_shown() -> None:
    html = rendered(hostile())
    assert "<script" not in html
    assert Page(html).text.count(HOSTILE) >= 7


def test_same_bytes_each_time(page: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    of = EVERY[request.node.callspec.params["page"]]()
    write_page(tmp_path / "a.html", of.title, of.lede, sections(of))
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "missing" / "r.html", tmp_path / "folder"):
        with pytest.raises(FileError, match="cannot be written"):
            write_page(place, "", "", [])
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_many_layers_neurons_and_steps_stay_small() -> None:
    """50 layers, one of 4,000 neurons, 610 steps: what is not drawn is said."""
    rng, sizes = np.random.default_rng(0), [4_000, *[8] * 49]
    groups = tuple(LIF(f"g{k}", (n,), 4095, 400, 5, np.zeros(n, np.int64)) for k, n in enumerate(sizes))
    wires = [Dense("x", "g0", rng.integers(0, 9, (sizes[0], 2)))]
    wires += [Dense(f"g{k}", f"g{k + 1}", rng.integers(0, 9, (sizes[k + 1], sizes[k]))) for k in range(len(sizes) - 1)]
    net = Program(groups, tuple(wires), (Input("x", (2,), "spike"),), (Output("o", "g49", 8),), latency=50)
    html = rendered(known(net, {"x": rng.integers(0, 2, (610, 1, 2))}))
    assert len(html.encode()) < MOST_BYTES
    text = Page(html).text
    for said in ("The first 32 of 51 layers are drawn", "The first 600 of 660 steps are drawn",
                 "16 of 50 layers are drawn", "The first 40 of 50 layers are drawn"):  # fmt: skip
        assert said in text


def of_every_kind() -> Iterator[tuple[Program, dict[str, NDArray[np.int64]]]]:
    """Of random Programs as few as have, between them, each kind of part that any of them has."""
    drawn = [random_program(np.random.default_rng(seed), steps=12, batch=2) for seed in range(60)]
    parts = [{part for part, _ in parts_of(net)} | {type(c).__name__ for c in net.connections} for net, _ in drawn]
    left = set().union(*parts)
    assert len(left) >= 16
    while left:
        best = max(range(len(drawn)), key=lambda k: len(parts[k] & left))
        left -= parts[best]
        yield drawn[best]


def test_programs_of_every_kind_have_a_page() -> None:
    for net, inputs in of_every_kind():
        html = rendered(known(replace(net, profile="lava"), inputs))
        assert_stands_alone(html)
        assert [name for name in Page(html).ids if name in SECTIONS] == SECTIONS


def test_nothing_moves() -> None:
    """So there is nothing for prefers-reduced-motion to stop."""
    assert not re.search(
        r"\b(animation|transition)\b|scroll-behavior: smooth|<(animate|marquee|blink)", rendered(hostile())
    )


def test_numbers_on_the_confusion_matrix_can_be_read_in_both_themes() -> None:
    css = (files("spikeport") / "page.css").read_text()
    both = [dict(re.findall(r"--(ink|page): #(\w{6})", css[at:])[:2][::-1]) for at in (0, css.index("dark)"))]
    for theme in both:
        ink, page = ([int(theme[name][k : k + 2], 16) / 255 for k in (0, 2, 4)] for name in ("ink", "page"))
        deepest = [DEEPEST * blue + (1 - DEEPEST) * below for blue, below in zip(BITMAP_RGB, page, strict=True)]
        low, high = sorted((luminance(ink), luminance(deepest)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def luminance(rgb: Sequence[float]) -> float:
    """Relative, of sRGB (WCAG 2.2)."""
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in rgb]
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
