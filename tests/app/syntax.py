"""What a program says: what expressions are made of, what is assigned, and what calls give."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

# Methods that put more into what they are called on.
ADDING: Final = frozenset({"append", "extend", "insert", "update"})

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
# A module, then the classes and functions around a place in it.
Scope: TypeAlias = tuple[ast.AST, ...]


def text_parts(node: ast.expr) -> list[ast.expr] | None:
    """The parts of an expression that its text may have something of; None for what cannot be followed."""
    match node:
        case ast.Constant() | ast.Compare() | ast.UnaryOp():
            return []
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Pow()):
            return []  # No text has these.
        case ast.FormattedValue(value=value, conversion=-1, format_spec=spec):
            return [] if only_numbers_have(spec) else [value]
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts):
            return parts
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            return [one, other]
    return _elements(node)


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """What a collection has, or another part of which text is taken."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Dict(keys=keys, values=values):
            return [one for one in (*keys, *values) if one is not None]
        case ast.DictComp(key=key, value=value):
            return [key, value]
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.SetComp(elt=part):
            return [part]
        case ast.Subscript(value=part) | ast.Starred(value=part) | ast.NamedExpr(value=part):
            return [part]
    return None


def only_numbers_have(spec: ast.expr | None) -> bool:
    """Whether a text cannot have this format, as `,` or `.2f`."""
    if not isinstance(spec, ast.JoinedStr) or not all(isinstance(part, ast.Constant) for part in spec.values):
        return False
    try:
        format("text", "".join(str(part.value) for part in spec.values if isinstance(part, ast.Constant)))
    except ValueError:
        return True
    return False


def owner(scope: Scope) -> ast.AST:
    """The function around a place, or the module."""
    return next(one for one in reversed(scope) if isinstance(one, Function | ast.Lambda | ast.Module))


def last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """What gets which value in this statement or expression; None is a value that cannot be followed."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.For(target=ast.Tuple(elts=targets), iter=ast.Call(func=ast.Name(id="zip"), args=values)) if (
            len(targets) == len(values)
        ):
            yield from zip(targets, values, strict=True)
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield target, value
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield target, value
        case ast.ExceptHandler(name=str(name)):
            yield ast.Name(name), None
        case ast.Call(func=ast.Attribute(value=target, attr=name), args=values) if name in ADDING:
            yield from ((target, value) for value in values)


def parameters(function: Function | ast.Lambda) -> list[str]:
    given = function.args
    every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    return [one.arg for one in every if one]


def signature(function: Function, name: str) -> tuple[list[str], ast.expr | None]:
    """The parameters that may be given by position, and the default of this one."""
    given = function.args
    in_order = [one.arg for one in (*given.posonlyargs, *given.args)]
    defaults: dict[str, Any] = dict(zip(reversed(in_order), reversed(given.defaults), strict=False))
    defaults |= {one.arg: default for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    return in_order, defaults.get(name)


def arguments(call: ast.expr, name: str, position: int | None) -> Iterator[ast.expr]:
    """What a call may give for a parameter; `position` is None where it is given by name only."""
    if isinstance(call, ast.Call):
        yield from (one.value for one in call.keywords if one.arg in (name, None))
        for place, one in enumerate(call.args):
            if place == position or isinstance(one, ast.Starred):
                yield one


def defines(definition: ast.ClassDef, name: str) -> bool:
    """Whether a class has a field, a property or a method of this name."""
    return any(
        last_name(one.target) == name
        if isinstance(one, ast.AnnAssign)
        else getattr(one, "name", None) == name
        for one in definition.body
    )


def is_static(function: Function) -> bool:
    return any(last_name(one) == "staticmethod" for one in function.decorator_list)
