"""Command-line parameters from dataclasses and from the declared training options, and a help in sections."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from nasrank.db.runs.configuration import OPTIONS
from nasrank.db.runs.options import Option


class SectionedCommand(TyperCommand):
    """Lists its options in the sections that their `rich_help_panel` names, without Rich."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections in the order of their first options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if (record := parameter.get_help_record(ctx)) is not None:
                is_argument = parameter.param_type_name == "argument"
                default = "Arguments" if is_argument else "Options"
                title = getattr(parameter, "rich_help_panel", None) or default
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer reads it: fields in place of dataclasses, training options in place of `**`.

    `command` gets a dataclass for each parameter that is annotated with one, and as its `**` those training
    options that were given.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    takes_training_options = False
    for parameter in inspect.signature(command).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_training_options = True
        elif parameter.name in groups:
            parameters += _fields(groups[parameter.name])
        else:
            parameters.append(
                parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            )
    if takes_training_options:
        parameters = [*map(_parameter, OPTIONS.values()), *parameters]

    def called(**values: Any) -> None:
        arguments = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        if takes_training_options:
            given = {name: values.pop(name) for name in OPTIONS}
            values |= {
                name: OPTIONS[name].domain.parsed(value) for name, value in given.items() if value is not None
            }
        command(**arguments, **values)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _fields(group: Any) -> Iterator[inspect.Parameter]:
    """A parameter for each field of a dataclass."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )


def _parameter(option: Option) -> inspect.Parameter:
    """The parameter of a training option, None unless it is given: presets and variants decide then."""
    shown = typer.Option(
        option.spelling,
        help=f"{option.help} Default: {option.default_text}.",
        metavar=f"<{option.unit}>" if option.unit else None,
        rich_help_panel=option.group,
    )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[option.domain.kind | None, shown],
    )
