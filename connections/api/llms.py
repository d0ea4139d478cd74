"""``/llms.txt`` (llmstxt.org): what Latchkey is and how to call it, for agents and for those who write them.

Anybody may read it, so it says what is public: nothing of tenants, of providers that are set up, or of versions. The
list of operations comes from the OpenAPI document.
"""

from collections import defaultdict
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.api.urls import api

_HEAD = """# Latchkey

> Latchkey keeps the connections of a product's customers to their accounts at third parties, and hands services and \
agents a credential that works now, or a stable reason why none does. It also calls the providers itself, so that a \
caller never holds the credential.

- Every call of the API carries `Authorization: Bearer …`: an API key (`lk_…`), or the token of a workload whose \
issuer is trusted. Keys come from whoever runs this installation.
- To use a connection: `POST {root}/api/v1/credentials` with `provider` and `end_user`, or \
`POST {root}/api/v1/connections/{{id}}/credential`. Put `credential.headers` and `credential.query` into requests to \
`credential.base_url`. Use it at once; vend again rather than keep it.
- To use it without holding it: `ANY {root}/api/v1/connections/{{id}}/proxy/{{path}}`, with `Latchkey-End-User`.
- A refusal is `application/problem+json` with a stable `code`. With `connect_url`, open it for the end user: they \
mend the connection there. 202 `approval_required` has an `approve_url`; repeat the request once it is approved. \
After a 503 repeat it after `Retry-After`.
- An agent that speaks the Model Context Protocol: the same by the tools of `{root}/mcp`; none of them hands out a \
credential.
- When a provider answers 401 to a credential, report its `version` to \
`POST {root}/api/v1/connections/{{id}}/report`, and vend again.
- To connect an account: `POST {root}/api/v1/connect-sessions`, and send the end user's browser to `connect_url`. The \
code that comes back is confirmed by the product's backend alone. Never ask an end user for a password or a key.

## API

- [OpenAPI document]({root}/api/v1/openapi.json): every operation, body, answer and problem; it needs no key

## Clients

- [Python]({root}/static/clients/python/latchkey_client/__init__.py): typed, over requests or httpx; the package \
`latchkey_client` with an auth that renews itself, webhooks, paging
- [TypeScript]({root}/static/clients/typescript/latchkey.ts): typed, over fetch, without dependencies
"""


@require_safe
def llms_txt(request: HttpRequest) -> HttpResponse:
    """Answer with the text. No I/O."""
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(_text(settings.API_URL), content_type="text/markdown; charset=utf-8", headers=headers)


@cache
def _text(root: str) -> str:
    document = api.get_openapi_schema(path_prefix="/api/v1/")
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            by_tag[operation["tags"][0]].append(_line(root, method, path, operation))
    sections = [_HEAD.format(root=root)]
    sections += [
        f"## {tag['name'][0].upper()}{tag['name'][1:]}\n\n{tag['description']}\n\n" + "\n".join(by_tag[tag["name"]])
        for tag in document["tags"]
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _line(root: str, method: str, path: str, operation: dict[str, Any]) -> str:
    """Return one operation as a link to where it is described."""
    pointer = f"{root}/api/v1/openapi.json#/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}"
    return f"- [{operation['summary']}]({pointer}): `{method.upper()} {path}`"
