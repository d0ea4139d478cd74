"""Logs: one structured line an event, on standard error, JSON in production.

Standard output is for the output of commands. Log lines hold only named fields: never a request body, header, query
string or exception of a provider's library. Loggers of the HTTP libraries stay at WARNING, because their DEBUG lines
print secrets.
"""

import logging
import logging.config
from typing import Any

import structlog

_QUIET = ("requests_oauthlib", "oauthlib", "urllib3", "requests", "celery.worker.strategy", "celery.app.trace")


class _OneLine(logging.Filter):
    """Removes the traceback from errors that anybody can cause by a malformed request, such as a foreign Host."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True


def configure(options: dict[str, Any]) -> None:
    """Set up the standard library's logging and structlog alike; called by Django with ``settings.LOGGING``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    in_console = options.get("format") == "console"
    renderer: Any = (
        # The plain formatter: the default one prints the local variables of each frame, secrets included.
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        if in_console
        else structlog.processors.JSONRenderer()
    )
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, renderer]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": final if not in_console else [final[0], final[2]],
                }
            },
            "filters": {"one_line": {"()": _OneLine}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["one_line"]}
            },
            "root": {"handlers": ["stderr"], "level": "INFO"},
            "loggers": {name: {"level": "WARNING"} for name in _QUIET},
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
