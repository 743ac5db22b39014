"""A file that is made on demand, while the scripts of others end."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager, MediaFileMetadata
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from nasrank.app import downloads
from nasrank.app.downloads import KEPT, keep_downloads


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds since the computer started."""
    now = [1000.0]
    monkeypatch.setattr(downloads.time, "monotonic", lambda: now[0])
    return now


def test_it_is_kept_until_a_browser_has_fetched_it(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", MediaFileMetadata)
    keep_downloads()
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    button = manager.add_deferred(lambda: b"arch,rank", "text/csv", "1.0", "ranks.csv")
    file = PurePosixPath(manager.execute_deferred(button)).stem
    for _ in range(5):
        manager.remove_orphaned_files()
    assert manager.read_file(file) is not None
    clock[0] += KEPT
    for _ in range(2):
        manager.remove_orphaned_files()
    assert manager.read_file(file) is None
