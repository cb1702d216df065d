"""The cores that Intel's compiler takes, as far as its published logs show the rule.

An image is cut as in `map_cores`, which gives every convolution of those logs its cores. A layer without pixels is
divided by how many times its words are what a core may have, rounded up past a whole number, and again while a part
has too many. Where that leaves 2^k neurons in a part, the compiler takes 2^k - 1, and so one part more: the logs have
127 of 256 neurons twice, and 2,047 of 4,096.

The logs of 2022 (oxford, pilotnet) have 12,000 words for synapses, those after them (yolo_kp, mnist) 16,000. It is a
rule found in five layers and not the compiler itself; `map_cores` takes fewer cores.
"""

from dataclasses import replace

from spikeport.chip import LOIHI2
from spikeport.cores import Cut, flat
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.loads import LOGS_2022, LOGS_2023, Account, loads
from spikeport.neurons import Group
from spikeport.program import Conv, Program

SYNAPSE_WORDS = {LOGS_2022: 12_000, LOGS_2023: 16_000}


def compiler_cuts(program: Program, account: Account = LOGS_2023) -> dict[str, Cut]:
    """Every group's cut on a Loihi 2, in the Program's order; a core holds neurons of one group only."""
    chip = replace(LOIHI2, synapse_words_per_core=SYNAPSE_WORDS[account])
    placed: CoreMap = map_cores(program, chip)
    images = {end for c in program.connections if isinstance(c, Conv) for end in (c.source, c.target)}
    return {
        group.name: placement.cut if group.name in images else _divided(program, group, account)
        for group, placement in zip(program.groups, placed, strict=True)
    }


def _divided(program: Program, group: Group, account: Account) -> Cut:
    limit, parts = SYNAPSE_WORDS[account], 1
    while (words := _words(program, group, parts, account)) > limit and parts < group.size:
        parts = min(parts * (words // limit + 1), group.size)
    neurons = -(-group.size // parts)
    whole = parts == 1 or neurons < 2 or neurons & (neurons - 1)
    return flat(group.size, neurons if whole else neurons - 1)


def _words(program: Program, group: Group, parts: int, account: Account) -> int:
    """Of the fullest part."""
    cut = flat(group.size, -(-group.size // parts))
    found = loads(program, LOIHI2, group.name, {group.name: cut}, out=False, account=account)
    return int(found["synapses"].max())
