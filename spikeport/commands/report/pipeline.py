"""From training to spikes: every file on the way, and its SHA-256."""

from collections.abc import Sequence

from spikeport.commands.report.blocks import Section, Stage, Stages, Words, missing

NAME, TITLE = "pipeline", "Pipeline"


def pipeline(stages: Sequence[Stage]) -> Section:
    if not stages:
        return missing(NAME, TITLE, "The files behind this page were not recorded.")
    hint = "What each step left, and its SHA-256: of a file, what sha256sum prints."
    return Section(NAME, TITLE, [Words(hint, "hint"), Stages(stages)])
