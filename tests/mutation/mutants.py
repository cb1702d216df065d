"""Small changes to a source file, one at a time: what a slip of the hand would make of integer code.

rounding    a >> b and a // b round up instead of down; rint, round, ceil, floor and trunc go another way
shift       one bit more; the other way
comparison  the border moves by one: > and >=, < and <=; == and !=
sign        + and -; a minus is dropped
constant    one more
bound       min and max, minimum and maximum
logic       & and |, and and or
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

SWAPPED = {ast.Add: "-", ast.Sub: "+", ast.BitAnd: "|", ast.BitOr: "&"}
COMPARED = {ast.Gt: "{} > {} - 1", ast.GtE: "{} > {}", ast.Lt: "{} < {} + 1", ast.LtE: "{} < {}"}
"""In such a form that vectors, which know > and < alone, have it too."""
EQUALITY = {ast.Eq: "!=", ast.NotEq: "=="}
ROUNDED = {"rint": "floor", "ceil": "floor", "floor": "ceil", "trunc": "floor"}
BOUNDS = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}


@dataclass(frozen=True)
class Mutant:
    """One change: the characters `start ... end` of the source become `after`."""

    function: str
    """Where it is; "" at the level of the module."""
    line: int
    text: str
    """Of that line, without a comment."""
    kind: str
    before: str
    after: str
    start: int
    end: int
    nth: str = ""
    """As in " (2 of 3)", where the line has the same change in several places."""

    def applied(self, source: str) -> str:
        return source[: self.start] + self.after + source[self.end :]

    def __str__(self) -> str:
        return f"{' '.join(self.before.split())}  ->  {' '.join(self.after.split())}{self.nth}"


def mutants(source: str) -> list[Mutant]:
    """Every change, in the order of the file. Annotations, texts and imports stay as they are."""
    starts, lines = [0], source.splitlines(keepends=True)
    for line in lines:
        starts.append(starts[-1] + len(line))
    found = []
    for node, function in _expressions(ast.parse(source), ""):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        for kind, after in _changes(node):
            text = lines[node.lineno - 1].split("  #")[0].strip()
            found.append(Mutant(function, node.lineno, text, kind, source[start:end], after, start, end))
    return _numbered(sorted(found, key=lambda mutant: (mutant.start, mutant.end)))


def _numbered(found: list[Mutant]) -> list[Mutant]:
    alike: dict[tuple[int, str], list[int]] = {}
    for k, mutant in enumerate(found):
        alike.setdefault((mutant.line, str(mutant)), []).append(k)
    for places in (places for places in alike.values() if len(places) > 1):
        for n, k in enumerate(places, 1):
            found[k] = replace(found[k], nth=f" ({n} of {len(places)})")
    return found


def _expressions(node: ast.AST, function: str) -> Iterator[tuple[ast.expr, str]]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Import | ast.ImportFrom | ast.JoinedStr) or not isinstance(child, ast.AST):
                continue
            inside = child.name if isinstance(child, ast.FunctionDef) and not function else function
            if isinstance(child, ast.expr):
                yield child, inside
            yield from _expressions(child, inside)


def _changes(node: ast.expr) -> Iterator[tuple[str, str]]:
    """`(kind, new text)`, in brackets where it could fall apart."""
    match node:
        case ast.BinOp(left, op, right):
            yield from _operations(_text(left), op, _text(right))
        case ast.Compare(left, ops, others):
            yield from _comparisons([left, *others], ops)
        case ast.BoolOp(op, values):
            yield "logic", f"({(' or ' if isinstance(op, ast.And) else ' and ').join(map(_text, values))})"
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield "sign", _text(operand)
        case ast.UnaryOp(ast.USub(), ast.Constant()):
            yield "sign", _text(node.operand)
        case ast.Call(ast.Name("round"), [_]):
            yield "rounding", _text(node).replace("round", "int", 1)
        case ast.Call(ast.Attribute(value, "round"), []):
            yield "rounding", f"({_text(value)} // 1)"
        case ast.Call(ast.Attribute(ast.Name("np" | "torch"), name), _, _) if name in ROUNDED:
            yield "rounding", _text(node).replace(f".{name}(", f".{ROUNDED[name]}(", 1)
        case ast.Call(ast.Name(name), _, _) if name in BOUNDS:
            yield "bound", _text(node).replace(name, BOUNDS[name], 1)
        case ast.Call(ast.Attribute(_, name), _, _) if name in BOUNDS:
            yield "bound", _text(node).replace(f".{name}(", f".{BOUNDS[name]}(", 1)
        case ast.Constant(value) if isinstance(value, int) and not isinstance(value, bool):
            yield "constant", str(value + 1)


def _operations(left: str, op: ast.operator, right: str) -> Iterator[tuple[str, str]]:
    if isinstance(op, ast.RShift):
        yield "rounding", f"((({left}) * -1 >> {right}) * -1)"
        yield "shift", f"({left} >> {right} + 1)"
        yield "shift", f"({left} << {right})"
    elif isinstance(op, ast.FloorDiv):
        yield "rounding", f"(-(-{left} // {right}))"
    elif isinstance(op, ast.LShift):
        yield "shift", f"({left} << {right} + 1)"
        yield "shift", f"({left} >> {right})"
    elif swapped := SWAPPED.get(type(op)):
        yield ("sign" if swapped in "+-" else "logic"), f"({left} {swapped} {right})"


def _comparisons(terms: list[ast.expr], ops: list[ast.cmpop]) -> Iterator[tuple[str, str]]:
    """One of a chain is changed, `a <= b <= c` first to `a < b and b <= c`."""
    for changed, op in enumerate(ops):
        parts = [ast.unparse(ast.Compare(terms[k], [ops[k]], [terms[k + 1]])) for k in range(len(ops))]
        pair = _text(terms[changed]), _text(terms[changed + 1])
        if type(op) in COMPARED:
            parts[changed] = COMPARED[type(op)].format(*pair)
        elif type(op) in EQUALITY:
            parts[changed] = f"{pair[0]} {EQUALITY[type(op)]} {pair[1]}"
        else:
            continue
        yield "comparison", f"({' and '.join(parts)})"


def _text(node: ast.expr) -> str:
    """An operand, in brackets if it is more than a name, a number or a call."""
    text = ast.unparse(node)
    simple = isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript)
    return text if simple else f"({text})"
