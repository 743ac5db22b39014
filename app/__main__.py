"""Serves the dashboard in this process: `python -m nasrank.app`, as `nasrank-train dashboard` starts it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware

from nasrank.app.access import Access
from nasrank.app.memory import limit_arenas, tidy_again_and_again
from nasrank.app.middleware import Guard, SecurityHeaders, failed
from nasrank.app.serve import FOLDER, Service, streamlit_options
from nasrank.db.errors import NasrankError


def main() -> None:
    """Serve until SIGINT or SIGTERM; what cannot be served is one line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.getLogger("uvicorn.error").addFilter(is_news)
    service = asked_service()
    limit_arenas()
    try:
        options = streamlit_options(service)
        app_for(service).run(config=options)
    except NasrankError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on {service.host}:{service.port}: {error.strerror or error}")


def is_news(record: logging.LogRecord) -> bool:
    """Keep from the terminal what uvicorn says of every refused websocket, though the refusal is complete."""
    return record.getMessage() != "ASGI callable returned without completing handshake."


def app_for(service: Service) -> st.App:
    """The dashboard as an ASGI application, which says where it is once it listens.

    Raises:
        NasrankError: a public name is none.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        print(f"The dashboard is at {service.url}; Ctrl-C ends it.", flush=True)
        tidying = asyncio.create_task(tidy_again_and_again())
        yield
        tidying.cancel()

    access = Access.for_names(service.host, service.public_names)
    return st.App(
        FOLDER / "main.py",
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders), Middleware(Guard, access=access)],
        exception_handlers={Exception: failed},
    )


def asked_service() -> Service:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m nasrank.app", description="Serve the dashboard.")
    default = Service()
    parser.add_argument("--warehouse", type=Path, default=default.warehouse)
    parser.add_argument("--runs", type=Path, default=default.runs)
    parser.add_argument("--host", default=default.host)
    parser.add_argument("--port", type=int, default=default.port)
    parser.add_argument("--public-name", action="append", default=[], dest="public_names")
    parser.add_argument("--base-path", default=default.base_path)
    options = vars(parser.parse_args())
    return Service(**{**options, "public_names": tuple(options["public_names"])})


def fail(line: str) -> NoReturn:
    """End with a line."""
    print(f"error: {line}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
