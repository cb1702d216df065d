"""`spikeport recipes`: what can be trained by name."""

from spikeport.commands.answer import Answer
from spikeport.train import load_recipe, shipped_recipes


def recipes() -> Answer:
    """Every shipped recipe, with the figure that a paper published for it."""
    found, rows = [], []
    for name in shipped_recipes():
        recipe = load_recipe(name)
        steps, paper = recipe.model_options["steps"], recipe.paper
        figure = "" if paper is None or paper.accuracy is None else f"{paper.accuracy:.2f}%"
        source = "" if paper is None else ", ".join(part for part in (paper.title, paper.table, paper.row) if part)
        rows.append((name, recipe.data, recipe.model, str(steps), figure, source))
        found.append(
            {
                "name": name,
                "data": recipe.data,
                "model": recipe.model,
                "steps": steps,
                "published_accuracy": None if paper is None else paper.accuracy,
                "source": source,
            }
        )
    notes = ("next: spikeport train NAME -o RUN",)
    columns = ("recipe", "data", "model", "steps", "published", "where")
    return Answer({"recipes": found}, "spikeport recipes", columns, rows, notes)
