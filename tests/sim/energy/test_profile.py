"""A profile file is read key by key: every mistake is one short line that names the file and the key."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import FileError, InputError
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.profile import Constant, parse_profile, profile_named, profile_names
from spikeport.sim.energy.toml_section import MAX_BYTES

ABOUT = 'evidence = "measured"\nsource = "us"\n'
HEAD = '[profile]\nname = "own"\ntitle = "Our own"\nscope = "per_term"\n'
SOP = f"[energy_pj.sop]\nnominal = 2\n{ABOUT}"
WHOLE = f"""
[profile]
name = "own"
title = "Our own"
scope = "per_term"
technology_nm = 7
note = '''
Two
lines'''
banner = "Look"
latency_model = "max_affine"
barrier_between = "step"

{SOP}low = 1.5
year = 2020
note = "n"

[latency_ns.read]
nominal = 1
high = 2.5
{ABOUT}
[[barrier_ns]]
tiles = 4
nominal = 9
{ABOUT}
[[barrier_ns]]
tiles = 1
nominal = 3
{ABOUT}
[static_w_per_chip]
nominal = 0.25
{ABOUT}
[link_bits_per_ns]
nominal = 32
{ABOUT}"""


def timed(head: str = 'latency_model = "additive"\n', body: str = "") -> str:
    return HEAD + head + SOP + body


def test_every_key_of_a_file_arrives() -> None:
    profile = parse_profile("own.toml", WHOLE.encode())
    assert (profile.name, profile.title, profile.scope, profile.technology_nm) == ("own", "Our own", "per_term", 7)
    assert (profile.note, profile.banner) == ("Two lines", "Look")
    assert (profile.latency_model, profile.barrier_between) == ("max_affine", "step")
    assert dict(profile.energy_pj) == {"sop": Constant(Bounds(1.5, 2.0, None), "measured", "us", 2020, "n")}
    assert dict(profile.latency_ns) == {"read": Constant(Bounds(None, 1.0, 2.5), "measured", "us")}
    assert [(b.tiles, b.constant.value.nominal) for b in profile.barrier] == [(1, 3.0), (4, 9.0)]
    assert profile.static_w_per_chip == Constant(Bounds(None, 0.25, None), "measured", "us")
    assert profile.link_bits_per_ns == Constant(Bounds(None, 32.0, None), "measured", "us")
    assert profile.sha256 == sha256(WHOLE.encode()).hexdigest()


def test_a_short_file_has_nothing_else() -> None:
    profile = parse_profile("own.toml", (HEAD + SOP).encode())
    assert (profile.technology_nm, profile.note, profile.banner) == (None, "", "")
    assert (profile.latency_model, profile.barrier_between, profile.barrier) == ("", "", ())
    assert (profile.static_w_per_chip, profile.link_bits_per_ns, len(profile.latency_ns)) == (None, None, 0)


def test_the_prices_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse_profile("own.toml", WHOLE.encode()).energy_pj["sop"] = None  # type: ignore[index]


def test_to_json_holds_all_of_it() -> None:
    values = json.loads(json.dumps(parse_profile("own.toml", WHOLE.encode()).to_json(), allow_nan=False))
    about = {"evidence": "measured", "source": "us", "year": None, "note": ""}
    assert values["energy_pj"]["sop"] == {
        "low": 1.5, "nominal": 2.0, "high": None, "evidence": "measured", "source": "us", "year": 2020, "note": "n",
    }  # fmt: skip
    assert values["barrier_ns"][0] == {"tiles": 1, "low": None, "nominal": 3.0, "high": None, **about}
    assert values["static_w_per_chip"] == {"low": None, "nominal": 0.25, "high": None, **about}
    assert values["path"] == "own.toml"


DEEP = "a" + ".a" * 2000
BAD = {
    "no TOML": ("[profile", "is not TOML"),
    "endless digits": (HEAD + SOP + "year = 1" + "0" * 5000, "is not TOML"),
    "endless brackets": ("x = " + "[" * 5000, "is not TOML"),
    "a key twice": (HEAD + 'name = "b"\n' + SOP, "is not TOML"),
    "a huge key twice": (f"{'k' * 9999} = 1\n{'k' * 9999} = 2", "is not TOML"),
    "no profile": (SOP, "profile is missing"),
    "profile is a number": ("profile = 1\n" + SOP, "profile (1) is not a table"),
    "profile is a list": ("[[profile]]\n", "profile is not a table"),
    "unknown section": (HEAD + SOP + "[energy]\n", "unknown key ('energy')"),
    "unknown key": (HEAD + "colour = 1\n" + SOP, "unknown key in profile ('colour')"),
    "unknown term": (HEAD + SOP + "[energy_pj.sops]\n", "unknown key in energy_pj ('sops')"),
    "a latency's term among energies": (HEAD + "[energy_pj.read]\n", "unknown key in energy_pj ('read')"),
    "an energy's term among latencies": (timed(body="[latency_ns.mac]\n"), "unknown key in latency_ns ('mac')"),
    "unknown key of a constant": (HEAD + SOP + "unit = 1\n", "unknown key in energy_pj.sop ('unit')"),
    "tiles of a price": (HEAD + SOP + "tiles = 1\n", "unknown key in energy_pj.sop ('tiles')"),
    "a key of lines": (HEAD + '"a\\nb\\u001b[31m" = 1\n' + SOP, "unknown key in profile ('a\\nb\\x1b[31m')"),
    "a huge key": (HEAD + f"{'k' * 99999} = 1\n" + SOP, "unknown key in profile ('kkkk"),
    "no name": (HEAD.replace('name = "own"', "") + SOP, "profile.name is missing"),
    "empty name": (HEAD.replace('"own"', '""') + SOP, "profile.name ('') is empty"),
    "name of lines": (HEAD.replace('"own"', '"a/../b"') + SOP, "profile.name ('a/../b') is not"),
    "name is a number": (HEAD.replace('"own"', "1") + SOP, "profile.name (1) is not"),
    "name is a deep table": (HEAD.replace("name", f"name.{DEEP}") + SOP, "profile.name is not"),
    "no title": (HEAD.replace('title = "Our own"', "") + SOP, "profile.title is missing"),
    "title of escapes": (HEAD.replace("Our own", "\\u001b[31m") + SOP, "profile.title ('\\x1b[31m') is not printable"),
    "huge note": (HEAD + f'note = "{"n" * 2001}"\n' + SOP, "profile.note ('nnnn"),
    "no scope": (HEAD.replace('scope = "per_term"', "") + SOP, "profile.scope is missing"),
    "odd scope": (HEAD.replace("per_term", "some") + SOP, "profile.scope ('some') is not one of per_term, all_in"),
    "scope is a list": (HEAD.replace('"per_term"', "[]") + SOP, "profile.scope ([]) is not one of"),
    "odd technology": (HEAD + "technology_nm = 4.5\n" + SOP, "profile.technology_nm (4.5) is not an integer"),
    "technology is true": (HEAD + "technology_nm = true\n" + SOP, "profile.technology_nm (True) is not an integer"),
    "no energies": (HEAD, "energy_pj has no terms"),
    "no terms": (HEAD + "[energy_pj]\n", "energy_pj has no terms"),
    "energies are a number": ("energy_pj = 1\n" + HEAD, "energy_pj (1) is not a table"),
    "a price is a number": (HEAD + "[energy_pj]\nsop = 1\n", "energy_pj.sop (1) is not a table"),
    "no nominal": (HEAD + f"[energy_pj.sop]\n{ABOUT}", "energy_pj.sop.nominal is missing"),
    "negative": (HEAD + SOP.replace("2", "-2"), "energy_pj.sop.nominal (-2) is not 0 or a number from"),
    "infinite": (HEAD + SOP.replace("2", "inf"), "energy_pj.sop.nominal (inf) is not 0 or a number from"),
    "no number": (HEAD + SOP.replace("2", "nan"), "energy_pj.sop.nominal (nan) is not 0 or a number from"),
    "too small": (HEAD + SOP.replace("2", "1e-320"), "energy_pj.sop.nominal (1e-320) is not 0 or a number from 1e-15"),
    "too large": (HEAD + SOP.replace("2", "1e16"), "energy_pj.sop.nominal (1e+16) is not 0 or a number from"),
    "huge integer": (HEAD + SOP.replace("2", "0x" + "f" * 9999), "energy_pj.sop.nominal (an integer of 39996 bits)"),
    "text": (HEAD + SOP.replace("2", '"2"'), "energy_pj.sop.nominal ('2') is not 0 or a number from"),
    "true": (HEAD + SOP.replace("2", "true"), "energy_pj.sop.nominal (True) is not 0 or a number from"),
    "a date": (HEAD + SOP.replace("2", "2020-01-01"), "energy_pj.sop.nominal (datetime.date(2020, 1, 1)) is not"),
    "low above": (HEAD + SOP + "low = 2.5\n", "energy_pj.sop.low (2.5) exceeds nominal 2.0"),
    "high below": (HEAD + SOP + "high = 1.5\n", "energy_pj.sop.high (1.5) is below nominal 2.0"),
    "low infinite": (HEAD + SOP + "low = -inf\n", "energy_pj.sop.low (-inf) is not 0 or a number from"),
    "no evidence": (HEAD + SOP.replace("evidence", "note"), "energy_pj.sop.evidence is missing"),
    "odd evidence": (HEAD + SOP.replace("measured", "heard"), "energy_pj.sop.evidence ('heard') is not one of mea"),
    "no source": (HEAD + SOP.replace("source", "note"), "energy_pj.sop.source is missing"),
    "empty source": (HEAD + SOP.replace('"us"', '" "'), "energy_pj.sop.source (' ') is empty"),
    "odd year": (HEAD + SOP + "year = 18\n", "energy_pj.sop.year (18) is not an integer from 1900"),
    "year is text": (HEAD + SOP + 'year = "2018"\n', "energy_pj.sop.year ('2018') is not an integer"),
    "all-in and a term": (
        HEAD.replace("per_term", "all_in") + SOP + f"[energy_pj.ac]\nnominal = 1\n{ABOUT}",
        "energy_pj.ac is inside sop already",
    ),
    "all-in of another term": (
        HEAD.replace("per_term", "all_in") + f"[energy_pj.ac]\nnominal = 1\n{ABOUT}",
        "energy_pj.ac is inside sop already",
    ),
    "all-in and static power": (
        HEAD.replace("per_term", "all_in") + SOP + f"[static_w_per_chip]\nnominal = 1\n{ABOUT}",
        "static_w_per_chip is inside sop already",
    ),
    "neurons twice": (
        HEAD + "[energy_pj.neuron_active]\n[energy_pj.neuron_access]\n",
        "energy_pj.neuron_active counts neurons twice beside energy_pj.neuron_access",
    ),
    "static is a number": ("static_w_per_chip = 1\n" + HEAD + SOP, "static_w_per_chip (1) is not a table"),
    "link has no source": (
        HEAD + SOP + '[link_bits_per_ns]\nnominal = 1\nevidence = "measured"\n', "link_bits_per_ns.source is missing",
    ),
    "latencies without a model": (timed("", f"[latency_ns.sop]\nnominal = 1\n{ABOUT}"), "profile.latency_model is mi"),
    "a model without latencies": (timed(), "profile.latency_model ('additive') has no latency_ns"),
    "odd model": (timed('latency_model = "fast"\n'), "profile.latency_model ('fast') is not one of additive, max_"),
    "barrier without between": (
        timed(body=f"[[barrier_ns]]\ntiles = 1\nnominal = 1\n{ABOUT}"), "profile.barrier_between is missing",
    ),
    "between without barrier": (timed('barrier_between = "step"\n'), "profile.barrier_between ('step') has no"),
    "odd between": (timed('barrier_between = "curve"\n'), "profile.barrier_between ('curve') is not one of linear"),
    "barrier is a table": (timed(body="[barrier_ns]\n"), "barrier_ns is not an array of tables"),
    "barrier of numbers": ("barrier_ns = [1]\n" + HEAD + SOP, "barrier_ns ([1]) is not an array of tables"),
    "barrier without tiles": (timed(body=f"[[barrier_ns]]\nnominal = 1\n{ABOUT}"), "barrier_ns[1].tiles is missing"),
    "barrier of no tiles": (
        timed(body=f"[[barrier_ns]]\ntiles = 0\nnominal = 1\n{ABOUT}"), "barrier_ns[1].tiles (0) is not an integer",
    ),
    "tiles twice": (
        timed(body=2 * f"[[barrier_ns]]\ntiles = 3\nnominal = 1\n{ABOUT}"), "barrier_ns[2].tiles (3) is there already",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_short_line_that_names_the_key(case: str) -> None:
    text, complaint = BAD[case]
    with pytest.raises(FileError) as caught:
        parse_profile("own.toml", text.encode())
    line = str(caught.value)
    assert line.startswith(f"own.toml: {complaint}"), line
    assert line.isprintable() and len(line) < 400


@given(
    st.integers(0, len(WHOLE)), st.integers(0, 40), st.one_of(st.text(max_size=20), st.sampled_from(list("[]=.{}\"'")))
)
def test_a_damaged_file_is_read_or_refused_in_one_line(start: int, length: int, other: str) -> None:
    text = WHOLE[:start] + other + WHOLE[start + length :]
    try:
        parse_profile("own.toml", text.encode(errors="replace"))
    except FileError as error:
        assert str(error).startswith("own.toml: ") and str(error).isprintable() and len(str(error)) < 400


def test_bytes_that_are_no_text_are_not_toml() -> None:
    with pytest.raises(FileError, match="own.toml: is not TOML"):
        parse_profile("own.toml", b"\xff\x00")


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(WHOLE)
    assert profile_named(str(path)).name == "own"
    assert profile_named(str(path)).path == str(path)


def test_a_file_of_a_shipped_name_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cmos45-fp32").write_text(WHOLE)
    assert profile_named("cmos45-fp32").name == "cmos45-fp32"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    for name, complaint in (("no", "is not a file"), ("folder", "is not a file"), ("pipe", "is not a file")):
        with pytest.raises(FileError, match=f"{name}.toml: {complaint}"):
            profile_named(str(tmp_path / f"{name}.toml"))
    with pytest.raises(FileError, match="big.toml: size exceeds"):
        profile_named(str(tmp_path / "big.toml"))


@pytest.mark.parametrize("name", ["loihi3", "", "a\nb", "x" * 9999, "../profiles/cmos45-fp32", "a\0b", "CMOS45-FP32"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError) as caught:
        profile_named(name)
    line = str(caught.value)
    assert line.startswith("energy: profile (") and line.isprintable() and len(line) < 500
    assert all(known in line for known in profile_names())


@pytest.mark.parametrize("name", ["a\0b.toml", "x" * 9999 + ".toml"])
def test_a_path_that_cannot_be_is_one_line(name: str) -> None:
    with pytest.raises(FileError) as caught:
        profile_named(name)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400
