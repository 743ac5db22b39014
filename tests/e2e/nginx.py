"""An nginx of its own for tests, with the configuration that the docs give."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.studies import wait_for
from tests.samples import ROOT

# Debian keeps it where only root looks.
PROGRAM = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """Where nginx listens, and the URL of the dashboard that it stands before."""

    name: str
    port: int
    dashboard: str
    passes_host: bool = True

    @property
    def url(self) -> str:
        return f"http://{self.name}:{self.port}{urlsplit(self.dashboard).path}"


def documented(proxy: Proxy) -> str:
    """The block of docs/dashboard.md with this name, port and path, without certificate and login."""
    text = (ROOT / "docs/dashboard.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```\n(map \$http_upgrade.*?)```", text, re.DOTALL)
    unused = r" (ssl_|auth_)" if proxy.passes_host else r" (ssl_|auth_|proxy_set_header +Host )"
    block = "\n".join(line for line in block.splitlines() if not re.search(unused, line))
    dashboard = urlsplit(proxy.dashboard)
    for old, new in {
        "listen 443 ssl;": f"listen 127.0.0.1:{proxy.port};",
        "nasrank.example.org": proxy.name,
        "location / {": f"location {dashboard.path}/ {{",
        "localhost:8501": dashboard.netloc,
    }.items():
        assert block.count(old) == 1, old
        block = block.replace(old, new)
    return block


@contextlib.contextmanager
def nginx(proxy: Proxy, folder: Path) -> Iterator[str]:
    """The URL of the dashboard behind an nginx that ends with the block."""
    assert PROGRAM is not None
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, server=documented(proxy)), encoding="utf-8")
    command = [PROGRAM, "-e", "stderr", "-p", folder, "-c", configuration]
    log = folder / "nginx.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_for(lambda: (folder / "nginx.pid").exists() or process.poll() is not None, 30)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield proxy.url
        finally:
            process.terminate()
            process.wait(timeout=20)
