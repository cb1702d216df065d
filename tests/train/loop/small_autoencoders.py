"""Autoencoders of digits at 16x16 that train in a second."""

from spikeport.train.recipe import Recipe, parse_recipe

RECIPE = """
[data]
name = "digits"
size = 16
symmetric = true
validation = 0.1
limit_train = 200
limit_test = 40
augment = ["flip"]
[model]
name = "esvae"
steps = 4
latent = 6
widths = [4, 8]
[train]
epochs = 2
batch = 30
optimizer = "adamw"
learning_rate = 1e-2
bottleneck_factor = 10
weight_decay = 1e-3
schedule = "constant"
seed = 0
keep = "best"
select_on = "validation"
quantize = "after:1"
"""
MODELS: dict[str, tuple[str, ...]] = {
    "esvae": (),
    "fsvae": ("model.name=fsvae", "model.candidates=5", "train.bottleneck_factor=1"),
    "taid": (
        "model.name=fsvae",
        "model.candidates=5",
        "model.distance=kld",
        "model.readout=taid",
        "train.bottleneck_factor=1",
    ),
}
PLAIN = {"ann_vae": 'name = "ann_vae"', "fad_autoencoder": 'name = "fad_autoencoder"'}


def recipe(model: str, *settings: str) -> Recipe:
    """Of a name in `MODELS` or `PLAIN`."""
    if model in MODELS:
        return parse_recipe("tiny", RECIPE, [*MODELS[model], *settings])
    text = RECIPE.replace('name = "esvae"\nsteps = 4', PLAIN[model])
    return parse_recipe("tiny", text, ["train.bottleneck_factor=1", *settings])
