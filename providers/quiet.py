"""Silence for the libraries that log requests and responses.

At DEBUG requests-oauthlib and oauthlib print tokens, codes and client secrets; urllib3 prints URLs with their query.
A filter on each logger works whatever levels and handlers are configured later. A level would not: it can be reset.
"""

import logging

_FAMILIES = ("oauthlib", "requests_oauthlib", "urllib3")


def silence() -> None:
    """Drop every record of the loggers that these libraries have made so far. Call it again after further imports."""
    for name in _FAMILIES:
        logging.getLogger(name).addFilter(_nothing)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _FAMILIES:
            logging.getLogger(name).addFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
