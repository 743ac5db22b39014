"""Where a text on a page comes from, as far as the syntax of the program tells.

`Program.unescaped` follows an expression back: through variables, parameters, results of functions and
fields of classes. It ends at literals, numbers and calls that escape text; all else is unescaped.
Methods and fields are found by their name alone, so it goes rather too far than not far enough.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.app.syntax import (
    Function,
    Scope,
    arguments,
    assignments,
    defines,
    is_static,
    last_name,
    owner,
    parameters,
    signature,
    text_parts,
)

# What gives numbers, or what means nothing in the place of an address in Markdown.
HARMLESS: Final = frozenset({"len", "int", "float", "round", "abs", "sum", "range", "urlencode"})
# Functions that give nothing but what they are given.
PASSING: Final = frozenset({"str", "list", "tuple", "dict", "sorted", "zip", "enumerate", "filter"})
# Methods that give nothing but what they are called on and given.
METHODS: Final = frozenset(
    {"join", "upper", "lower", "capitalize", "items", "values", "keys", "get", "fromkeys"}
)
# Where a function or class is named, but not passed on.
_NOT_PASSED: Final = (
    (ast.Call, "func"),
    (ast.Attribute, "value"),
    (ast.FunctionDef, "decorator_list"),
    (ast.ClassDef, "bases"),
)


@dataclass(frozen=True)
class Place:
    """An expression; `call` is the call of the function around it that is followed, None where it is any."""

    node: ast.expr
    scope: Scope
    call: Place | None = None

    def beside(self, node: ast.expr) -> Place:
        """Another expression of the same function."""
        return Place(node, self.scope, self.call)


# None is what cannot be followed.
Sources: TypeAlias = Iterator[Place | None]


class Program:
    """Modules by their dotted names, and what is defined, called, returned and assigned in them."""

    def __init__(self, modules: Mapping[str, ast.Module]) -> None:
        self.modules = modules
        self.calls: dict[str, list[Place]] = defaultdict(list)
        self._functions: dict[str, list[tuple[Function, Scope]]] = defaultdict(list)
        self._classes: dict[str, list[tuple[ast.ClassDef, Scope]]] = defaultdict(list)
        self._returned: dict[ast.AST, list[tuple[ast.expr, Scope]]] = defaultdict(list)
        # By the function or module, and the name.
        self._assigned: dict[tuple[ast.AST, str], list[tuple[ast.expr | None, Scope]]] = defaultdict(list)
        self._attributes: dict[str, list[tuple[ast.expr | None, Scope]]] = defaultdict(list)
        self._imports: dict[tuple[ast.AST, str], tuple[str, str]] = {}
        self._named: list[Place] = []
        for module in modules.values():
            self._read(module, (module,))
        # Functions and classes that are named without a call: whoever gets them may call them.
        self._passed = {
            definition
            for place in self._named
            if not self._is_variable(place)
            for definition in self._definitions(place.node, place.scope)
        }

    def unescaped(self, start: Place, escapes: Collection[str]) -> Iterator[Place]:
        """Where an expression comes from, as far as it is neither harmless nor a call of `escapes`."""
        todo: list[Place] = [start]
        seen = set()
        while todo:
            place = todo.pop()
            key = (place.node, place.call and place.call.node)
            if key in seen:
                continue
            seen.add(key)
            for source in self._sources(place, escapes):
                if source is None:
                    yield place
                else:
                    todo.append(source)

    def _read(self, node: ast.AST, scope: Scope) -> None:
        self._note(node, scope)
        inner = (*scope, node) if isinstance(node, Function | ast.ClassDef | ast.Lambda) else scope
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.Name | ast.Attribute) and (type(node), name) not in _NOT_PASSED:
                    self._named.append(Place(child, inner))
                if isinstance(child, ast.AST):
                    self._read(child, inner)

    def _note(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._functions[node.name].append((node, scope))
            case ast.ClassDef():
                self._classes[node.name].append((node, scope))
            case ast.ImportFrom(module=str(origin), names=names):
                for one in names:
                    self._imports[scope[0], one.asname or one.name] = (origin, one.name)
            case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
                self._returned[owner(scope)].append((value, scope))
            case ast.YieldFrom(value=value):
                self._returned[owner(scope)].append((value, scope))
        for target, given in assignments(node):
            self._assign(target, given, scope)
        if isinstance(node, ast.Call):
            for name in self._callees(node.func, scope):
                self.calls[name].append(Place(node, scope))

    def _assign(self, target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self._assigned[owner(scope), name].append((value, scope))
            case ast.Attribute(attr=name):
                self._attributes[name].append((value, scope))
            case ast.Subscript(value=part) | ast.Starred(value=part):
                self._assign(part, value, scope)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values = (
                    value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(parts) else None
                )
                for number, part in enumerate(parts):
                    self._assign(part, values[number] if values else value, scope)

    def _callees(self, function: ast.expr, scope: Scope) -> set[str]:
        """The names of what may be called; a variable may be another name of it."""
        match function:
            case ast.Attribute(attr=name):
                return {name}
            case ast.IfExp(body=one, orelse=other):
                return self._callees(one, scope) | self._callees(other, scope)
            case ast.Name(id=name):
                around = next((one for one in reversed(scope) if (one, name) in self._assigned), scope[0])
                values = [value for value, _ in self._assigned.get((around, name), [])]
                aliases = [value for value in values if isinstance(value, ast.Attribute | ast.IfExp)]
                return {name}.union(*(self._callees(value, scope) for value in aliases))
        return set()

    def _is_variable(self, place: Place) -> bool:
        functions = [one for one in place.scope if isinstance(one, Function | ast.Lambda)]
        return isinstance(place.node, ast.Name) and any(
            place.node.id in parameters(one) or (one, place.node.id) in self._assigned for one in functions
        )

    def _definitions(self, node: ast.expr, scope: Scope) -> Iterator[ast.AST]:
        """The functions and classes that a name may mean: of its module, or any methods so called."""
        name, module = last_name(node), scope[0]
        if isinstance(node, ast.Name):
            origin, name = self._imports.get((module, name), ("", name))
            module = self.modules.get(origin, module)
        else:
            module = self._module(node, scope) or module
        for definition, where in (*self._functions.get(name, []), *self._classes.get(name, [])):
            is_method = isinstance(where[-1], ast.ClassDef)
            if isinstance(node, ast.Attribute) if is_method else where[0] is module:
                yield definition

    def _module(self, node: ast.expr, scope: Scope) -> ast.Module | None:
        """Of ours, that the owner of an attribute is."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self.modules.get(".".join(self._imports.get((scope[0], node.value.id), ())))
        return None

    def _sources(self, place: Place, escapes: Collection[str]) -> Sources:
        """What an expression is made of."""
        match place.node:
            case ast.Name(id=name):
                yield from self._of_name(name, place)
            case ast.Attribute():
                yield from self._of_attribute(place)
            case ast.Call():
                yield from self._of_call(place.node, place, escapes)
            case _:
                parts = text_parts(place.node)
                yield from [None] if parts is None else map(place.beside, parts)

    def _of_name(self, name: str, place: Place) -> Sources:
        for depth, around in reversed(list(enumerate(place.scope))):
            if isinstance(around, Function) and name in parameters(around):
                yield from self._of_parameter(around, name, place.scope[:depth], place.call)
            elif (around, name) not in self._assigned:
                continue
            for value, scope in self._assigned.get((around, name), []):
                # A function within another one is followed as called by anyone.
                call = place.call if owner(scope) is owner(place.scope) else None
                yield value and Place(value, scope, call)
            return
        origin, original = self._imports.get((place.scope[0], name), ("", ""))
        if origin in self.modules:
            yield from self._of_name(original, Place(place.node, (self.modules[origin],)))
        else:
            yield None

    def _of_parameter(self, function: Function, name: str, scope: Scope, call: Place | None) -> Sources:
        """What a caller gives, or every caller; nothing is known of a function that is passed to others."""
        in_order, default = signature(function, name)
        is_method = isinstance(scope[-1], ast.ClassDef) and not is_static(function)
        in_order = in_order[is_method:]
        position = in_order.index(name) if name in in_order else None
        if call is not None and self._may_call(call, function):
            calls = [call]
        elif function in self._passed:
            yield None
            return
        else:
            calls = [one for one in self.calls[function.name] if self._may_call(one, function)]
        for one in calls:
            given = list(arguments(one.node, name, position))
            yield from map(one.beside, given)
            if not given:
                yield default and Place(default, scope)

    def _may_call(self, call: Place, function: Function) -> bool:
        return isinstance(call.node, ast.Call) and function in self._definitions(call.node.func, call.scope)

    def _of_attribute(self, place: Place) -> Sources:
        """A name in a module; else a field or property, if a single class has one so called."""
        name = last_name(place.node)
        if (module := self._module(place.node, place.scope)) is not None:
            yield from self._of_name(name, Place(place.node, (module,)))
            return
        defining = [one for known in self._classes.values() for one in known if defines(one[0], name)]
        if len(defining) != 1 or defining[0][0] in self._passed:
            yield None
            return
        [(definition, around)] = defining
        for value, where in self._attributes.get(name, []):
            yield value and Place(value, where)
        for one in definition.body:
            if isinstance(one, Function) and one.name == name:
                yield from (Place(*returned) for returned in self._returned[one])
        fields = [one for one in definition.body if isinstance(one, ast.AnnAssign)]
        names = [last_name(one.target) for one in fields]
        if name not in names:
            return
        own = [one for one in self.calls["cls"] if definition in one.scope]
        for call in (*self.calls[definition.name], *own):
            yield from map(call.beside, arguments(call.node, name, names.index(name)))
        for call in self.calls["replace"]:
            yield from map(call.beside, arguments(call.node, name, None))
        default = fields[names.index(name)].value
        if default is not None and not (isinstance(default, ast.Call) and last_name(default.func) == "field"):
            yield Place(default, around)

    def _of_call(self, call: ast.Call, place: Place, escapes: Collection[str]) -> Sources:
        if last_name(call.func) in escapes:
            return
        given = [*call.args, *(one.value for one in call.keywords)]
        known = list(self._definitions(call.func, place.scope))
        for one in known:
            yield from (Place(value, scope, place) for value, scope in self._returned[one])
        for name in self._callees(call.func, place.scope) or {""}:
            if name in HARMLESS:
                continue
            if name == "map" and last_name(given[0]) in {"str", *escapes}:
                parts = given[1:] if last_name(given[0]) == "str" else []
            elif name in METHODS and isinstance(call.func, ast.Attribute):
                parts = [call.func.value, *(given[1:] if name == "get" else given)]
            elif name in PASSING or any(isinstance(one, ast.ClassDef) for one in known):
                parts = given
            elif known:
                parts = []
            else:
                yield None
                continue
            yield from map(place.beside, parts)
