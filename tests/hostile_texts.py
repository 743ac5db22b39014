"""Texts that a page, a chart, a spreadsheet or a terminal could take for something else."""

from __future__ import annotations

from typing import Final

TEXTS: Final = (
    "![x](http://evil.test/a.png)",
    "<img src=http://evil.test/b.png>",
    "</script><script src='http://evil.test/c.js'></script>",
    ":red[x]",
    "$\\alpha$",
    "[link](http://evil.test)",
    "http://evil.test/d.png",
    "www.evil.test",
    '\\"+datum.x',
    "\x1b[31m",
    "[red]x[/red]",
    "{{7*7}}",
)
# All of them in one.
TEXT: Final = " ".join(TEXTS)
# The same as a file's name.
NAME: Final = TEXT.replace("/", "")
