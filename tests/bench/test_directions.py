"""Questions are asked of recipes that exist, and their answers are counted as they should be."""

import json
from pathlib import Path

import pytest

from spikeport.bench.directions import QUESTIONS, directions
from spikeport.commands.bench.directions import bench_directions
from spikeport.errors import InputError
from spikeport.train import load_recipe

QUICK = ("train.epochs=1", "data.limit_train=28", "data.limit_test=20")


@pytest.mark.parametrize("name", QUESTIONS)
def test_variants_are_settings_that_the_recipe_takes_and_differ(name: str) -> None:
    question = QUESTIONS[name]
    made = [load_recipe(question.recipe, own).settings() for own in question.variants.values()]
    assert all(a != b for k, a in enumerate(made) for b in made[:k])
    assert all(variant in question.variants for claim in question.claims for variant in claim)


def test_a_question_is_answered_and_written(tmp_path: Path) -> None:
    answer = bench_directions(["alif-digits"], 2, QUICK, tmp_path)
    found = json.loads((tmp_path / "directions.json").read_text())["alif-digits"]
    assert found["variants"].keys() == QUESTIONS["alif-digits"].variants.keys()
    for variant in found["variants"].values():
        by_seed = [run["accuracy"] for run in variant["runs"]]
        assert [run["seed"] for run in variant["runs"]] == [0, 1] and variant["mean"] == sum(by_seed) / 2
        assert all(round(x * 20) / 20 == pytest.approx(x) for x in by_seed)  # 20 test images
    for claim in found["claims"]:
        pairs = [[run["accuracy"] for run in found["variants"][claim[k]]["runs"]] for k in ("better", "worse")]
        assert claim["seeds"] == sum(a > b for a, b in zip(*pairs, strict=True)) and claim["of"] == 2
        assert claim["difference"] == pytest.approx(sum(pairs[0]) / 2 - sum(pairs[1]) / 2)
    assert len(answer.rows) == 6 and "learnable (0.5, 0.5)" in (tmp_path / "directions.md").read_text()


def test_the_same_seed_gives_the_same_answer() -> None:
    one, two = (directions(["alif-digits"], 1, QUICK, lambda _: None)["alif-digits"]["claims"] for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("names", "seeds", "message"),
    [
        (["alif"], 3, "directions: question \\(alif\\) is not one of alif-digits, "),
        (["alif-digits"], 0, "directions: seeds \\(0\\) are not above 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(names: list[str], seeds: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        directions(names, seeds, (), lambda _: None)
