from dataclasses import FrozenInstanceError, fields, replace

import pytest

from spikeport import fixed
from spikeport.chip import CHIPS, LOIHI1, LOIHI2, Chip, chip_named
from spikeport.errors import InputError

both = pytest.mark.parametrize("chip", [LOIHI1, LOIHI2], ids=lambda chip: chip.name)


@both
def test_every_number_has_a_source(chip: Chip) -> None:
    limits = {f.name for f in fields(Chip)} - {"name", "generation", "sources"}
    assert set(chip.sources) == limits
    assert all(len(source) > 10 for source in chip.sources.values())


def test_a_limit_without_a_source_is_refused() -> None:
    sources = {name: text for name, text in LOIHI1.sources.items() if name != "max_delay"}
    with pytest.raises(InputError) as caught:
        replace(LOIHI1, sources=sources)
    assert str(caught.value) == "chip loihi1: limits without a source (['max_delay'])"
    assert caught.value.got == ["max_delay"]


@both
def test_a_chip_cannot_be_changed(chip: Chip) -> None:
    with pytest.raises(FrozenInstanceError):
        chip.max_delay = 7  # type: ignore[misc]
    with pytest.raises(TypeError):
        chip.sources["max_delay"] = ""  # type: ignore[index]


@both
def test_a_chip_is_found_by_its_name(chip: Chip) -> None:
    assert chip_named(chip.name) is chip
    assert CHIPS[chip.name] is chip


def test_an_unknown_chip_is_refused_with_the_known_names() -> None:
    with pytest.raises(InputError) as caught:
        chip_named("loihi3")
    assert str(caught.value) == "target: chip (loihi3) is not one of loihi1, loihi2"


@both
def test_a_chip_asks_for_no_more_than_the_arithmetic_can_express(chip: Chip) -> None:
    assert chip.max_delay <= fixed.DELAY_MAX
    assert fixed.WEIGHT_EXP_MIN <= chip.min_weight_exp < 0 < chip.max_weight_exp <= fixed.WEIGHT_EXP_MAX


def test_the_published_sizes_of_loihi_1() -> None:
    """Davies et al., IEEE Micro 38(1), 2018: 128 cores, 1,024 neurons a core, 131,072 neurons a chip."""
    assert LOIHI1.cores_per_chip * LOIHI1.neurons_per_core == 131_072
    assert LOIHI1.synapse_words_per_core * 64 == 128 * 1024 * 8


def test_the_published_sizes_of_loihi_2() -> None:
    """Intel, technology brief, 2021: up to 1 million neurons a chip, 128 KB a core; ours are below."""
    assert 2**18 < LOIHI2.cores_per_chip * LOIHI2.neurons_per_core < 2**20
    assert LOIHI2.synapse_words_per_core * 64 < 128 * 1024 * 8
