"""A report's page: every section is there, it needs nothing, it is escaped, and it can be used without a picture."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.known import Known
from spikeport.commands.report.of_program import known_of
from spikeport.commands.report.page import write_page
from spikeport.commands.report.sections import sections
from spikeport.errors import FileError
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim.random_programs import random_program
from tests.html_page import Page, assert_stands_alone
from tests.reports import HOSTILE, SECTIONS, hostile, known, of_kind, program, rendered

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


EVERY = {"bare": bare, "host": lambda: of_kind("bias"), "spikes": lambda: of_kind("spike"), "hostile": hostile}


@pytest.fixture(scope="module", params=EVERY)
def page(request: pytest.FixtureRequest) -> str:
    return rendered(EVERY[request.param]())


def test_every_section_is_there_in_order(page: str) -> None:
    assert [name for name in Page(page).ids if name in SECTIONS] == SECTIONS


def test_it_stands_alone_and_is_small(page: str) -> None:
    assert_stands_alone(page)
    assert len(page.encode()) < MOST_BYTES


def test_the_table_of_contents_and_the_skip_link_lead_somewhere(page: str) -> None:
    links = re.findall(r'<a [^>]*href="#([\w-]+)"', page)
    assert links == ["main", *SECTIONS]
    assert set(links) <= set(Page(page).ids)


def test_it_can_be_read_without_seeing_it(page: str) -> None:
    outline = Outline(page)
    assert outline.landmarks == ["header", "nav", "main", "footer"]
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.unscoped == 0
    assert all(tags[0] == "caption" and "th" in tags for tags in outline.tables)
    assert all(region.get("role") == "region" and region.get("aria-label") for region in outline.regions)
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


def test_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        of = of_kind("bias")
        write_page(tmp_path / name, of.title, of.lede, sections(of))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


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


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_programs_of_every_kind_have_a_page(seed: int) -> None:
    net, inputs = random_program(np.random.default_rng(seed), steps=12, batch=2)
    html = rendered(known(replace(net, profile="lava"), inputs))
    assert_stands_alone(html)
    assert [name for name in Page(html).ids if name in SECTIONS] == SECTIONS
