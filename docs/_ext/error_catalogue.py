"""Writes reference/errors.md of `spikeport.errors` and the design rules: `python docs/_ext/error_catalogue.py`."""

from collections.abc import Iterator
from pathlib import Path

from spikeport.deploy.rules import RULES, Rule
from spikeport.errors.catalogue import CATALOGUE, FAMILIES, Entry

PAGE = Path(__file__).parents[1] / "reference" / "errors.md"
INTRO = """\
# Errors and design rules

Every error on purpose is one line, `error CODE: where: what (got) relation limit; what to do`, and an exit code: 2 for
bad input, 1 where the work says no. A code names the cause and keeps its meaning. `spikeport explain CODE` prints what
stands here. With `--json`, standard output gets the pieces of the error as one line:

    {"error": {"code": "SP101", "where": "net.h5", "what": "no such file", "got": null,
     "relation": "", "limit": null, "do": "", "message": "net.h5: no such file"}}

In Python each code is a class in `spikeport.errors`, and `error.code` is the code. A class of a family also catches
those below it: `FileError` all of SP1, `InputError` SP1 and SP2, `ExportError` SP3, `DeployError` SP4, `ProgramError`
SP5.

This page is written by `python docs/_ext/error_catalogue.py`.
"""


def page() -> str:
    """The whole page, in MyST Markdown; each code and rule is a heading, and so an anchor."""
    return "\n".join((INTRO, *_lists(), *_families(), *_rules()))


def _lists() -> Iterator[str]:
    yield "| code | meaning |\n|---|---|"
    for entry in CATALOGUE.values():
        yield f"| [{entry.code}](#{entry.code.lower()}) | {entry.title} |"
    yield ""


def _families() -> Iterator[str]:
    for prefix, title in FAMILIES.items():
        yield f"## {prefix}..: {title}\n"
        for entry in CATALOGUE.values():
            if entry.code.startswith(prefix):
                yield _section(entry)


def _section(entry: Entry) -> str:
    why = f"{entry.why}\n\n" if entry.why else ""
    return (
        f"### {entry.code}\n\n**{entry.title}.** {why}**Fix.** {entry.fix}\n\n"
        f"    error {entry.code}: {entry.example}\n\n"
        f"In Python: `spikeport.errors.{entry.name}`. Exit code: {entry.exit_code}.\n"
    )


def _rules() -> Iterator[str]:
    yield "## Design rules\n"
    yield "What `spikeport check` holds a network to. Together they are one error, [SP413](#sp413).\n"
    yield from (_rule(rule) for rule in RULES)


def _rule(rule: Rule) -> str:
    rows = [
        f"| {chip} | `{name}` | {value} | {source} |"
        for chip, limits in rule.limits().items()
        for name, (value, source) in limits.items()
    ]
    table = "\n".join(("| chip | limit | value | source |", "|---|---|---|---|", *rows))
    return f"### {rule.id}\n\n{rule.paragraph()}\n\n**Fix.** {rule.remedy}. Unit: {rule.unit}.\n\n{table}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
