"""Writes the recorded vectors of the profile `loihi1`, from nengo-loihi: python -m tests.vectors.make_loihi1

Every number under "out" comes from nengo-loihi's emulator; spikeport's arithmetic has no part in it.
"""

import json
from pathlib import Path

from tests.vectors.case import case_to_json
from tests.vectors.loihi1_edges import loihi1_edges, random_cases
from tests.vectors.loihi1_emulator import interpreter, run_emulator

FOLDER = Path(__file__).parent
SEED = 20_261_125
ABOUT = {
    "loihi1_sums": "sums that leave 22 bits, in both directions",
    "loihi1_up": "currents, with and without bias, and voltages that leave 24 bits upward",
    "loihi1_down": "the same downward",
    "loihi1_published": "the network of nengo-loihi's test_uv_overflow, with 200 and with 1000 axons",
    "loihi1_network": "several groups, loops, shortcuts, rest",
}


def main() -> None:
    drawn = random_cases(SEED, 100)
    small = [c for c in drawn if sum(n.size for n in (*c.program.groups, *c.program.inputs)) < 40]
    families = loihi1_edges() | {"loihi1_network": small[:12]}
    python = interpreter()
    for name, cases in families.items():
        runs = run_emulator(cases, python)
        head = {
            "about": ABOUT[name],
            "reference": "nengo-loihi 1.1.0: emulator/interface.py, CompartmentState and SynapseState",
            "made_by": "python -m tests.vectors.make_loihi1",
            "versions": runs[0].versions,
            "seed": SEED,
        }
        lines = []
        for case, ran in zip(cases, runs, strict=True):
            made = {"name": case.name, "in": case_to_json(case), "out": ran.groups, "left": ran.overflows}
            lines.append(json.dumps(made, separators=(",", ":")))
        text = json.dumps(head, indent=1).removesuffix("\n}") + ',\n "cases": [\n' + ",\n".join(lines) + "\n ]\n}\n"
        (FOLDER / f"{name}.json").write_text(text)
        print(f"{name}.json: {len(cases)} cases, {len(text):,} bytes")


if __name__ == "__main__":
    main()
