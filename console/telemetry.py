"""Logs, set up once: one JSON object a line on stderr, no personal data."""

from __future__ import annotations

import logging
import sys
from importlib import metadata

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def set_up() -> None:
    """Structured logs for our code and for the libraries'. Safe to call again."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the frames' locals: they hold what people typed.
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=12)),
    ]
    renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("pgqueuer", "httpx2", "httpcore2", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def version() -> str:
    """The installed version of Lead Explorer."""
    try:
        return metadata.version("lead-explorer")
    except metadata.PackageNotFoundError:
        return "0"
