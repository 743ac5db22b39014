"""Pages of HTML in which every value is text."""

from __future__ import annotations

import jinja2


def template(name: str) -> jinja2.Template:
    """A template of this folder; it escapes what it is given, and fails where it is not given a value."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nasrank.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(name)
