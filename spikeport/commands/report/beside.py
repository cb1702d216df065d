"""The simulator beside what else ran the same Program on the same samples: a recorded run, a board, Lava."""

from dataclasses import replace
from pathlib import Path

from spikeport.commands.report.known import Compared, number
from spikeport.commands.running.board_runs import is_board_file, read_board_run, simulated_beside
from spikeport.commands.running.counted import read_spikes_of
from spikeport.commands.running.run import compare_with_lava
from spikeport.commands.samples import Samples
from spikeport.deploy.lava import Mode
from spikeport.errors import FileMismatch, LavaMissing
from spikeport.program import Program
from spikeport.sim import simulate
from spikeport.sim.board_run import in_simulator_terms
from spikeport.sim.compare import Comparison, compare_recorded

LAVA_TIMEOUT_S = 300.0


def beside_run(path: Path, program: Program, program_path: Path, samples: Samples) -> Compared:
    """A run that 'spikeport run' wrote, of any back end: every spike of every group that is in it.

    Raises:
        FileError: not such a file, or one of another Program or of other samples.
    """
    if is_board_file(path):
        run = read_board_run(path, program, program_path)
        simulated = simulated_beside(replace(program, profile="lava"), samples.path, run)
        recorded, _ = in_simulator_terms(run.recorded, simulated)
        return _compared(
            f"a board's run, {path.name}", "all that the board recorded", compare_recorded(simulated, recorded)
        )
    recorded = {name: {"s": s} for name, s in read_spikes_of(path, program).items()}
    steps, batch = next(iter(recorded.values()))["s"].shape[:2]
    given_steps, given = samples.shape[:2]
    if steps != given_steps + program.latency or batch > given:
        got, limit = (
            f"{steps} steps, {batch} samples",
            f"{given_steps + program.latency} steps of at most {given} samples",
        )
        do = "name the input that ran"
        raise FileMismatch(str(path), "run", got=got, relation="is not that of the input:", limit=limit, do=do)
    inputs = {name: x[:, :batch] for name, x in samples.inputs.items()}
    traces = simulate(program, inputs, record=list(recorded)).traces
    what = f"the spikes of {len(recorded)} of {len(program.groups)} layers, at every step of {number(batch, 'sample')}"
    return _compared(f"a recorded run, {path.name}", what, compare_recorded(traces, recorded))


def beside_lava(
    program: Program, samples: Samples, mode: Mode = "models", timeout_s: float = LAVA_TIMEOUT_S
) -> Compared:
    """Lava on these samples; why not, where it is not installed."""
    against, batch = "Lava", samples.shape[1]
    try:
        ran, comparison = compare_with_lava(program, dict(samples.inputs), mode, timeout_s)
    except LavaMissing as error:
        return Compared(against, "", missing=str(error))
    what = f"state and spikes of every neuron at every step of {number(batch, 'sample')}, Lava's {mode}"
    return _compared(f"Lava {ran.versions.get('lava-nc', '')}".strip(), what, comparison)


def _compared(against: str, what: str, found: Comparison) -> Compared:
    first = "" if found.first is None else str(found.first)
    return Compared(against, what, found.values, found.differing, first=first)
