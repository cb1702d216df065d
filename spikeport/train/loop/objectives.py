"""Which objective a model has."""

from torch import nn

from spikeport.errors import RecipeInvalid
from spikeport.train.autoencoders import Autoencoder
from spikeport.train.data import DataSet
from spikeport.train.loop.autoencode import Autoencoding
from spikeport.train.loop.classify import Classification
from spikeport.train.loop.objective import Objective
from spikeport.train.recipe import Recipe


def objective_of(model: nn.Module, data: DataSet, recipe: Recipe) -> Objective:
    """Raises InputError for what an autoencoder cannot be trained with."""
    course = recipe.train
    if not isinstance(model, Autoencoder):
        return Classification(model, data.classes, course, recipe.loss)
    for key, value, none in (
        ("loss", course.loss, "mse"),
        ("label_smoothing", course.label_smoothing, 0),
        ("check", course.check, "none"),
    ):
        if value != none:
            where, do = f"recipe {recipe.name}", f"leave it out, {recipe.model} is an autoencoder"
            raise RecipeInvalid(where, f"train.{key}", got=value, relation="is not", limit=none, do=do)
    return Autoencoding(model, course, recipe.loss)
