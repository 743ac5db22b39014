"""Files that Streamlit makes when a reader asks for them stay until the browser has had time to fetch them.

Streamlit drops a file that no page refers to when the second script of any session ends, and no page refers
to one that was made on demand. With many readers, whose pages refresh themselves, that is before the browser
asks for the file: it gets a 404.
"""

from __future__ import annotations

import time
from typing import Final

from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileMetadata
from streamlit.runtime.media_file_storage import MediaFileKind

# Seconds that a busy browser and a slow network may take.
KEPT: Final = 60.0


class KeptMetadata(MediaFileMetadata):
    """Of a file that is not marked for deletion before its time."""

    def __init__(self, kind: MediaFileKind = MediaFileKind.MEDIA) -> None:
        super().__init__(kind)
        self._made = time.monotonic()

    def mark_for_delete(self) -> None:
        """Streamlit's wish, which it repeats whenever a script ends."""
        if time.monotonic() - self._made >= KEPT:
            super().mark_for_delete()


def keep_downloads() -> None:
    """Have Streamlit's manager of files use `KeptMetadata`; it has no option for that."""
    media_file_manager.MediaFileMetadata = KeptMetadata  # type: ignore[misc]
