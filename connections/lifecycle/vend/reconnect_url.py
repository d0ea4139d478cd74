"""The URL of the operator's reconnect page, from the tenant's template. That page makes a new connect session."""

import uuid
from urllib.parse import quote


def connect_url(template: str, *, connection_id: uuid.UUID | None, provider: str, end_user: str) -> str:
    """Return ``template`` with {connection}, {provider} and {end_user} filled in, or "" for no template. No I/O."""
    if not template:
        return ""
    values = {"{connection}": str(connection_id), "{provider}": provider, "{end_user}": end_user}
    for placeholder, value in values.items():
        template = template.replace(placeholder, quote(value, safe=""))
    return template
