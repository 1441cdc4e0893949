"""A safe part of Python's expressions, for launch.substitutions.PythonExpression.

Offered: text, numbers, True, False, None, lists; comparisons, `in`, and/or/not, + - * / // %,
`a if b else c`, and the text methods below. Everything else is refused by name: an argument of the
command line ends up inside these expressions.
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

from chefmate.launching.errors import ADVICE, LaunchFileError, UnsupportedLaunchFeatureError

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_TEXT_METHODS = {'startswith', 'endswith', 'lower', 'upper', 'strip'}


def evaluate_expression(text: str) -> Any:
    """Return the value of the expression `text`.

    Raises:
        UnsupportedLaunchFeatureError: it uses something that is not offered.
        LaunchFileError: it is not an expression, or its evaluation fails.
    """
    try:
        return _evaluate(ast.parse(text.strip(), mode='eval').body, text)
    except SyntaxError as error:
        raise LaunchFileError(f'not a Python expression: {text!r} ({error.msg})') from error
    except (ArithmeticError, TypeError) as error:
        raise LaunchFileError(f'the expression {text!r} fails: {error}') from error


def _evaluate(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_evaluate(item, text) for item in items]
        case ast.BoolOp(op=op, values=values):
            return _shortcut(isinstance(op, ast.And), values, text)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _evaluate(body if _evaluate(test, text) else orelse, text)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_evaluate(operand, text))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_evaluate(left, text), _evaluate(right, text))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _compare(left, ops, comparators, text)
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=args, keywords=[]):
            owner = _evaluate(value, text)
            if isinstance(owner, str) and attr in _TEXT_METHODS:
                return getattr(owner, attr)(*(_evaluate(item, text) for item in args))
    raise UnsupportedLaunchFeatureError(
        f'the built-in launch runner does not evaluate {ast.unparse(node)!r} (in the '
        f'PythonExpression {text!r}). Next: {ADVICE}'
    )


def _shortcut(is_and: bool, values: list[ast.expr], text: str) -> Any:
    for value in values:
        found = _evaluate(value, text)
        if bool(found) is not is_and:
            break
    return found


def _compare(left: ast.expr, ops: list, comparators: list[ast.expr], text: str) -> bool:
    value = _evaluate(left, text)
    for op, item in zip(ops, comparators, strict=True):
        other = _evaluate(item, text)
        if not _COMPARE[type(op)](value, other):
            return False
        value = other
    return True
