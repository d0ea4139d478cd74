"""How the web processes read a request: text is UTF-8, whatever encoding the request names."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """A request whose named codec is ignored.

    Django decodes query and form with the codec that the request names, before any of our code runs. Some codecs
    produce text that no column can hold; some fail at a point where only a traceback can be the answer.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8Handler(WSGIHandler):
    """Django's handler, with ``Utf8Request``."""

    request_class = Utf8Request
