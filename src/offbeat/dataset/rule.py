"""Conditions on flags, such as ``onset_density >= 1 and motion > 0.2 and not scene_cut``: read, checked, never run.

The text is parsed with Python's own grammar into a tree, of which only these parts are known: ``and``, ``or``, ``not``,
comparisons, decimal numbers, and the names of flags. All else is refused, with its place, before anything is measured.
Nothing is ever compiled or evaluated by Python.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

NUMBERS = ("silence_share", "onset_density", "periodicity", "motion", "syncability")
"""Flags that can be compared with numbers."""
YES_NO = ("periodic", "still", "scene_cut")
"""Flags that stand by themselves."""
LONGEST = 500
"""Characters of a condition; it also bounds how deep it can be nested."""

Value = float | bool | None
Flag = Callable[[str], Value]
"""Gives the value of a flag by its name; asked only for what is needed to decide."""

_KNOWN = re.compile(r"[A-Za-z0-9_.<>=!() -]*")
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that was read and found good.

    Attributes:
        text: as it was written.
        terms: the parts that must all hold.
    """

    text: str
    terms: tuple[ast.expr, ...]

    def failing(self, flag: Flag) -> int | None:
        """The first term that does not hold; None where all do."""
        return next((place for place, term in enumerate(self.terms) if not _holds(term, flag)), None)

    def term_text(self, place: int) -> str:
        """A term as it was written."""
        return _text_of(self.text, self.terms[place])

    def term_names(self, place: int) -> list[str]:
        """The flags that a term asks for, in their order."""
        names = [node for node in ast.walk(self.terms[place]) if isinstance(node, ast.Name)]
        return list(dict.fromkeys(node.id for node in sorted(names, key=lambda node: node.col_offset)))

    def shortfall(self, place: int, flag: Flag) -> float:
        """How far a failing term is from holding, relative to its bound; infinite unless it is one comparison."""
        term = self.terms[place]
        if not isinstance(term, ast.Compare) or len(term.ops) != 1:
            return float("inf")
        left, right = _number(term.left, flag), _number(term.comparators[0], flag)
        if left is None or right is None:
            return float("inf")
        return abs(left - right) / max(abs(left), abs(right), 1e-9)


@lru_cache(maxsize=16)
def read_rule(text: str) -> Rule:
    """Read a condition.

    Raises:
        ValueError: it holds anything but what the module names; the text says where.
    """
    flat = re.sub(r"[\t\r\n]", " ", text)
    if len(flat) > LONGEST:
        raise ValueError(f"a condition has at most {LONGEST} characters, this one {len(flat)}")
    good = _KNOWN.match(flat)
    if good is not None and good.end() < len(flat):
        raise _refused(good.end(), f"{flat[good.end()]!r} has no meaning here")
    start = len(flat) - len(flat.lstrip(" "))
    flat = flat.rstrip(" ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as "1and": Python's own parser will complain in a later version
            tree = ast.parse(flat[start:], mode="eval").body
    except SyntaxError as error:
        raise _refused(start + max(0, (error.offset or 1) - 1), f"not a condition ({error.msg})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a condition ({error})") from error
    terms = tuple(tree.values) if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else (tree,)
    for term in terms:
        _check_condition(term, start)
    return Rule(text=flat[start:], terms=terms)


def _check_condition(node: ast.expr, start: int) -> None:
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _check_condition(value, start)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check_condition(operand, start)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for side in (left, *comparators):
                _check_number(side, start)
            if unknown := next((op for op in ops if type(op) not in _COMPARISONS), None):
                raise _refused(
                    start + node.col_offset, f"a comparison by {type(unknown).__name__.lower()} is not known"
                )
        case ast.Name(id=name) if name in YES_NO:
            pass
        case ast.Name(id=name) if name in NUMBERS:
            raise _refused(start + node.col_offset, f"{name} is a number: compare it, as in {name} > 1")
        case _:
            raise _refused(start + node.col_offset, _unknown(node))


def _check_number(node: ast.expr, start: int) -> None:
    match node:
        case ast.Name(id=name) if name in NUMBERS:
            return
        case ast.Name(id=name) if name in YES_NO:
            raise _refused(start + node.col_offset, f"{name} is yes or no: write {name} or not {name}")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as number):
            _check_number(number, start)
        case ast.Constant(value=value) if type(value) is int or (type(value) is float and value < float("inf")):
            return
        case _:
            raise _refused(start + node.col_offset, _unknown(node))


def _unknown(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return f"there is no flag {node.id!r}; there are {', '.join(NUMBERS + YES_NO)}"
    return (
        f"{type(node).__name__.lower()} is not known here; there are and, or, not, < <= > >= == !=, numbers and flags"
    )


def _refused(place: int, what: str) -> ValueError:
    return ValueError(f"at character {place + 1}: {what}")


def _holds(node: ast.expr, flag: Flag) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, flag) for value in values)
        case ast.BoolOp(values=values):
            return any(_holds(value, flag) for value in values)
        case ast.UnaryOp(operand=operand):
            return not _holds(operand, flag)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_number(side, flag) for side in (left, *comparators)]
            pairs = zip(sides[:-1], ops, sides[1:], strict=True)
            return all(a is not None and b is not None and _COMPARISONS[type(op)](a, b) for a, op, b in pairs)
        case ast.Name(id=name):
            return flag(name) is True
        case _:
            raise AssertionError(f"{type(node).__name__} was let through")


def _number(node: ast.expr, flag: Flag) -> float | None:
    match node:
        case ast.Name(id=name):
            return flag(name)
        case ast.UnaryOp(operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Constant(value=int() | float() as value):
            return value
        case _:
            raise AssertionError(f"{type(node).__name__} was let through")


def _text_of(text: str, node: ast.expr) -> str:
    return ast.get_source_segment(text, node) or ast.unparse(node)
