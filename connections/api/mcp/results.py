"""The results of tools: structured, and as text for clients that read only that. A refusal is a result, too. No I/O.

A refusal has the stable code of the API's and its plain words, and the link that heals it where there is one, so that
an agent can hand that to its person.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from mcp_types import CallToolResult, ContentBlock, TextContent
from pydantic import BaseModel, ValidationError

from connections.refusals import InvalidRequest, Refusal

_LINKS = {
    "connect_url": "Let the person open this page, then try again",
    "approve_url": "Let somebody approve it on this page, then repeat the same call",
    "website": "On this page of the provider's the person can change that",
}


def told(
    returned: BaseModel, content: Sequence[ContentBlock] | None = None, *, is_error: bool = False
) -> CallToolResult:
    """Return a result that holds ``returned``, with ``content`` in place of its JSON as text."""
    structured = returned.model_dump(mode="json", by_alias=True)
    texts = [TextContent(text=json.dumps(structured, ensure_ascii=False))] if content is None else [*content]
    return CallToolResult(content=texts, structured_content=structured, is_error=is_error)


def refused(refusal: Refusal) -> CallToolResult:
    """Return the result that says why a tool did nothing, or not all."""
    structured: dict[str, Any] = {"code": refusal.code, "detail": refusal.detail, **refusal.extra}
    lines = [f"{refusal.code}: {refusal.detail}"]
    if (field := refusal.extra.get("field")) is not None:
        lines.append(f"At fault is: {field}")
    if missing := refusal.extra.get("missing_scopes"):
        lines.append(f"Missing are the scopes: {', '.join(missing)}")
    lines += [f"{words}: {refusal.extra[name]}" for name, words in _LINKS.items() if refusal.extra.get(name)]
    if (approval := refusal.extra.get("approval")) is not None:
        lines.append(f"The approval's id: {approval}")
    if refusal.retry_after_seconds is not None:
        seconds = max(1, math.ceil(refusal.retry_after_seconds))
        structured["retry_after_seconds"] = seconds
        lines.append(f"The same call may succeed in {seconds} seconds.")
    return CallToolResult(content=[TextContent(text="\n".join(lines))], structured_content=structured, is_error=True)


def invalid(error: ValidationError) -> InvalidRequest:
    """Return the refusal of arguments that a tool does not take. Tells no value: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:200]
    return InvalidRequest(f"{where}: {first['msg']}"[:500] if where else first["msg"], field=where)
