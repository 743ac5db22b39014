"""Addresses of the dashboard's own pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def page_address(page: str, parameters: Mapping[str, object]) -> str:
    """Name a page with its choices, seen from any other page.

    It begins with no slash: the pages lie beside each other, at whatever path a proxy has them.
    """
    return f"{page}?{urlencode(parameters)}"
