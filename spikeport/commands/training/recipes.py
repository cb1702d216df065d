"""`spikeport recipes`: what can be trained by name."""

from spikeport.commands.answer import Answer
from spikeport.train import load_recipe, shipped_recipes


def recipes() -> Answer:
    """Every shipped recipe, with the figures that a paper published for it."""
    found, rows = [], []
    for name in shipped_recipes():
        recipe = load_recipe(name)
        steps, paper = recipe.model_options.get("steps"), recipe.paper
        figures = {} if paper is None else paper.figures()
        shown = [f"{x:.2f}%" if what == "accuracy" else f"{what} {x:g}" for what, x in figures.items()]
        source = "" if paper is None else paper.source
        rows.append((name, recipe.data, recipe.model, str(steps or ""), ", ".join(shown), source))
        found.append(
            {
                "name": name,
                "data": recipe.data,
                "model": recipe.model,
                "steps": steps,
                "published_accuracy": None if paper is None else paper.accuracy,
                "published": figures,
                "source": source,
            }
        )
    notes = ("next: spikeport train NAME -o RUN",)
    columns = ("recipe", "data", "model", "steps", "published", "where")
    return Answer({"recipes": found}, "spikeport recipes", columns, rows, notes)
