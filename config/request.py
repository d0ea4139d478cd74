"""How the web processes read a request: text is UTF-8, whatever a request says of its own encoding."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """A request that names no codec.

    Django decodes query and form with whatever codec the request names, before any of our code runs: some make text
    of it that no column can hold, and some fail where nothing but a traceback can come of it.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8Handler(WSGIHandler):
    """Django's handler, for such requests."""

    request_class = Utf8Request
