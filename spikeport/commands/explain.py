"""`spikeport explain`: what an error's code or a design rule means, why it is there, and what to do."""

from difflib import get_close_matches
from textwrap import wrap
from typing import Any

from spikeport.commands.answer import Answer, Table
from spikeport.deploy.rules import RULES, Rule
from spikeport.errors import UnknownName
from spikeport.errors.catalogue import CATALOGUE, Entry

COLUMNS = 100
_RULES = {rule.id: rule for rule in RULES}
_NAMES = {name.lower(): entry for entry in CATALOGUE.values() for name in (entry.code, entry.name)}


def explain(name: str | None) -> Answer:
    """One code or rule, or all of them.

    Args:
        name: A code, in any case; the name of its class; or a rule's id.

    Raises:
        UnknownName: it is none of these; the nearest ones are named.
    """
    if name is None:
        return _all()
    if entry := _NAMES.get(name.lower()):
        return _code(entry)
    if rule := _RULES.get(name):
        return _rule(rule)
    known = {lower: entry.code if lower == entry.code.lower() else entry.name for lower, entry in _NAMES.items()}
    known |= {rule: rule for rule in _RULES}
    nearest = ", ".join(known[near] for near in get_close_matches(name.lower(), known, n=3, cutoff=0.5))
    do = f"nearest: {nearest}; 'spikeport explain' lists all" if nearest else "'spikeport explain' lists all"
    raise UnknownName("explain", "name", got=name, relation="is no code and no design rule", do=do)


def _all() -> Answer:
    data = {
        "codes": [entry.data() for entry in CATALOGUE.values()],
        "rules": [_rule_data(rule) for rule in _RULES.values()],
    }
    codes = [(entry.code, entry.title, entry.name) for entry in CATALOGUE.values()]
    rules = [(rule.id, _first_sentence(rule)) for rule in _RULES.values()]
    tables = (Table("design rules", ("rule", "what it measures"), rules),)
    return Answer(
        data, "errors", ("code", "title", "class"), codes, ("spikeport explain CODE or RULE tells more",), tables=tables
    )


def _code(entry: Entry) -> Answer:
    paragraphs = [*entry.why.split("\n\n"), f"Fix: {entry.fix}"]
    notes = [line for text in paragraphs if text for line in ("", *wrap(text, COLUMNS, break_on_hyphens=False))]
    notes += ["", "Example:", f"    error {entry.code}: {entry.example}", ""]
    notes.append(f"In Python: spikeport.errors.{entry.name}. Exit code of a command: {entry.exit_code}.")
    return Answer({"schema": "spikeport-explain-code/1", **entry.data()}, f"{entry.code}: {entry.title}", notes=notes)


def _rule(rule: Rule) -> Answer:
    data = {"schema": "spikeport-explain-rule/1", **_rule_data(rule)}
    rows = [
        (chip, key, _plain(limit["value"]), str(limit["source"]))
        for chip, of in data["limits"].items()
        for key, limit in of.items()
    ]
    notes = (rule.paragraph(), f"unit: {rule.unit}", f"remedy: {rule.remedy}")
    return Answer(data, rule.id, ("chip", "limit", "value", "source"), rows, notes)


def _rule_data(rule: Rule) -> dict[str, Any]:
    limits = {
        chip: {key: {"value": v, "source": s} for key, (v, s) in of.items()} for chip, of in rule.limits().items()
    }
    return {"id": rule.id, "text": rule.paragraph(), "unit": rule.unit, "limits": limits, "remedy": rule.remedy}


def _first_sentence(rule: Rule) -> str:
    return rule.paragraph().partition(". ")[0].removesuffix(".")


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
