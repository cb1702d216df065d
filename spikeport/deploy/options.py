"""What the user decides about a compilation; the graph's own notes fill what is left open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from spikeport.chip import LOIHI2, Chip
from spikeport.deploy.calibration import OBSERVERS, Calibration, Observer
from spikeport.deploy.convention import NIR, Convention
from spikeport.errors import CompileOption, FieldInvalid
from spikeport.profiles import PROFILES, Profile

MAX_INTERVAL = 1 << 15
MAX_SCALES = 64
MAX_COPIES = 8
MAX_PIXEL = (1 << 31) - 1
LEAST = 1e-18
"""Of what is measured or scaled: products of such numbers are no denormals."""


@dataclass(frozen=True)
class Options:
    """Options of `compile_graph`, complete."""

    chip: Chip = LOIHI2
    dt_s: float = 1e-4
    """Length of a step; NIR files do not say it, and time constants mean nothing without it."""
    convention: Convention = NIR
    """How the graph is stepped; its `dt_s` is that of the options."""
    steps: int = MAX_INTERVAL
    """Steps per sample. State is cleared every 2^k >= steps steps, layer by layer as the data arrives."""
    input: Literal["spike", "bias"] = "spike"
    """`bias`: a constant image; the first layer is computed on the host and loaded as bias."""
    low: int = 0
    high: int = 255
    scale: float = 1 / 255
    """Of a `bias` input: range of the integers, and what 1 is worth to the float graph."""
    classes: int = 0
    """Classes among which the output neurons vote in equal blocks; 0: no vote."""
    v_scale: float = 1.0
    """What 1 of the v that an output reads is worth to who trained the network; the graph has a unit of its own."""
    scales: int = 1
    """Most parts, each with a scale of its own, that a population is split into by the range of its weights."""
    observer: Observer = "membrane"
    """How a population's scale is chosen where there is `data`; without it, by the largest weight."""
    correct: bool = True
    """Whether biases and thresholds make up for what rounding the weights shifts, as the `data` show it."""
    repair: bool = False
    """Whether neurons that rounding silenced or made fire all the time are brought back, and duplicates merged."""
    decays: int = 0
    """Most sets of decays that a population is split into; 0: one for each that there is."""
    copies: int = 0
    """Copies of a neuron that may send several spikes in a step, one for each; 0: as many as `data` show, else 1."""
    data: Calibration | None = None
    profile: Profile = "strict"
    """Of the Program; it changes nothing else, and no other profile follows from the chip."""

    def __post_init__(self) -> None:
        if not (LEAST < self.dt_s < 1e3):
            raise CompileOption("options", "dt_s", got=self.dt_s, relation="is not in", limit=f"({LEAST:g}, 1000)")
        object.__setattr__(self, "convention", replace(self.convention, dt_s=self.dt_s))
        if type(self.steps) is not int or not 1 <= self.steps <= MAX_INTERVAL:
            raise CompileOption(
                "options", "steps", got=repr(self.steps), relation="is not in", limit=f"[1, {MAX_INTERVAL}]"
            )
        if self.input not in ("spike", "bias"):
            raise CompileOption("options", "input", got=self.input, relation="is not one of", limit="spike, bias")
        if type(self.scales) is not int or not 1 <= self.scales <= MAX_SCALES:
            raise CompileOption("options", "scales", got=self.scales, relation="is not in", limit=f"[1, {MAX_SCALES}]")
        if type(self.decays) is not int or self.decays < 0:
            raise CompileOption(
                "options", "decays", got=self.decays, relation="are not", limit="a number, or 0 for all"
            )
        if type(self.copies) is not int or not 0 <= self.copies <= MAX_COPIES:
            raise CompileOption("options", "copies", got=self.copies, relation="is not in", limit=f"[0, {MAX_COPIES}]")
        if self.observer not in OBSERVERS:
            limit = ", ".join(OBSERVERS)
            raise CompileOption("options", "observer", got=self.observer, relation="is not one of", limit=limit)
        if not isinstance(self.data, Calibration | None):
            got, do = type(self.data).__name__, "give Calibration({'input': spikes})"
            raise CompileOption("options", "data", got=got, relation="are not", limit="a Calibration", do=do)
        if self.profile not in PROFILES:
            limit = ", ".join(PROFILES)
            raise CompileOption("options", "profile", got=self.profile, relation="is not one of", limit=limit)
        if not self.low < self.high:
            raise CompileOption("options", "low", got=self.low, relation="is not below high", limit=self.high)
        for name, value in (("low", self.low), ("high", self.high)):
            if not -MAX_PIXEL <= value <= MAX_PIXEL:
                limit = f"[-{MAX_PIXEL}, {MAX_PIXEL}]"
                raise CompileOption("options", name, got=f"{value:.12g}", relation="is not in", limit=limit)
        if not LEAST < self.scale < 1e6:
            raise CompileOption("options", "scale", got=self.scale, relation="is not in", limit=f"({LEAST:g}, 1000000)")
        if not LEAST < self.v_scale < 1 / LEAST:
            limit = f"({LEAST:g}, {1 / LEAST:g})"
            raise CompileOption("options", "v_scale", got=self.v_scale, relation="is not in", limit=limit)

    @property
    def reset_interval(self) -> int:
        """Least power of two that holds a sample; Loihi 2 takes no other interval."""
        return 1 << (self.steps - 1).bit_length()


def options_for(notes: Mapping[str, Any], convention: Convention = NIR, **given: Any) -> Options:
    """Options from what the user gave, then from the graph's notes, then the convention's step and the defaults."""
    casts: dict[str, Callable[[Any], Any]] = dict.fromkeys(("dt_s", "scale", "v_scale"), float)
    casts |= dict.fromkeys(("steps", "low", "high", "classes"), int) | {"input": str}
    values: dict[str, Any] = {"dt_s": convention.dt_s, "convention": convention}
    for name, cast in casts.items():
        if name in notes:
            try:
                values[name] = cast(notes[name])
            except (TypeError, ValueError, OverflowError) as error:
                raise FieldInvalid("graph", f"note {name}", got=error, do="export it again") from error
    return Options(**{**values, **{name: value for name, value in given.items() if value is not None}})
