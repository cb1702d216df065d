"""`spikeport recipes` lists what is shipped."""

from spikeport.commands.training.recipes import recipes
from spikeport.train import shipped_recipes


def test_every_recipe_is_listed_with_what_was_published() -> None:
    listed = {entry["name"]: entry for entry in recipes().data["recipes"]}
    assert list(listed) == shipped_recipes()
    best = listed["alif-mnist"]
    assert (best["data"], best["model"], best["steps"], best["published_accuracy"]) == ("mnist", "alif_net", 8, 99.78)
    assert listed["digits"]["published_accuracy"] is None
    vae = listed["esvae-fashion"]
    assert (vae["steps"], vae["published"]) == (16, {"MSE": 0.019, "IS": 6.227, "FID": 125.3, "FAD": 11.13})
    assert listed["ann-vae-fashion"]["steps"] is None
    row = next(row for row in recipes().rows if row[0] == "esvae-fashion")
    assert row[3:5] == ("16", "MSE 0.019, IS 6.227, FID 125.3, FAD 11.13")
