"""How a graph is read: the options that `spikeport check` and `compile` share."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from spikeport.cli import completion


@dataclass(frozen=True)
class Reading:
    """Fields are options; what is None was not told."""

    dt: Annotated[
        float | None, typer.Option("--dt", metavar="S", help="Length of a step in seconds. [default: the convention's]")
    ] = None
    convention: Annotated[
        str | None,
        typer.Option(
            "--convention",
            metavar="NAME",
            help="How its writer steps it: nir, norse, snntorch, snntorch-subtract, spikingjelly, sinabs,"
            " sinabs-no-floor, rockpool, spyx or lava-dl."
            " [default: guessed]",
            autocompletion=completion.one_of(completion.CONVENTIONS),
        ),
    ] = None
    steps: Annotated[int | None, typer.Option(help="Steps per sample; state is cleared between samples.")] = None
    input_kind: Annotated[str | None, typer.Option("--input-kind", help="spike, or bias for a constant image.")] = None
    low: Annotated[int | None, typer.Option(help="Least integer of an image. [default: 0]")] = None
    high: Annotated[int | None, typer.Option(help="Largest integer of an image. [default: 255]")] = None
    scale: Annotated[float | None, typer.Option(help="What 1 is worth to the float graph. [default: 1/255]")] = None

    @property
    def options(self) -> dict[str, Any]:
        """By the names that the compiler has for them."""
        ours = {"dt": "dt_s", "input_kind": "input"}
        return {ours.get(field.name, field.name): getattr(self, field.name) for field in fields(self)}


def with_reading(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer is to see it: in place of its parameter `reading`, an option for each field."""

    def told(**given: Any) -> None:
        reading = Reading(**{field.name: given.pop(field.name) for field in fields(Reading)})
        command(reading=reading, **given)

    shown: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        if parameter.name == "reading":
            shown += [
                Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
                for field in fields(Reading)
            ]
        else:
            shown.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
    told.__name__, told.__doc__ = command.__name__, command.__doc__
    told.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    told.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return told
