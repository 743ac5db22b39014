"""Whatever a widget offers, the page shows: every option of every filter, one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nasrank.db.warehouse.file import Warehouse
from tests.app.test_poisoned_pages import VIEWS


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_every_option_is_answered(view: str, filled: Warehouse, open_view: Any) -> None:
    test: AppTest = open_view(view, filled.path)
    for kind in ("radio", "selectbox", "multiselect"):
        for key in [widget.key for widget in test.get(kind) if widget.key]:
            first = getattr(test, kind)(key=key).value
            for option in getattr(test, kind)(key=key).options:
                chosen = getattr(test, kind)(key=key).set_value([option] if kind == "multiselect" else option)
                chosen.run()
                assert not test.exception, f"{key}: {option}"
            getattr(test, kind)(key=key).set_value(first).run()
            assert not test.exception
