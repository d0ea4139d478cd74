"""Adding entries to the catalogue: from a file, or from what an issuer says about itself.

Owns the text of derived entries and the writing of files; reading and checking is ``providers.catalog.loader``.
"""

import json
import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from providers.catalog.loader import CatalogError, clashes, load_entry
from providers.catalog.schema import LONGEST_SLUG, SLUG_PATTERN, CatalogEntry
from providers.catalog.scopes import ScopeInfo

_OFFLINE = "offline_access"


def slug_of(issuer: str) -> str:
    """Return a slug made of the host, port and path of ``issuer``, like login-example-com-eu."""
    parts = urlsplit(issuer)
    return re.sub(r"[^a-z0-9]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-")[:LONGEST_SLUG].strip("-")


def derive_entry(
    model: CatalogEntry, discovered: Mapping[str, str], *, name: str = "", scopes: Sequence[str] | None = None
) -> str:
    """Return the TOML of an entry for one issuer, derived from ``model``, the entry for any OpenID Connect server.

    ``discovered`` is the result of ``providers.oauth.discovery.discover``. The entry does not hold its endpoints,
    because each provider app discovers them anew. ``scopes`` become the default scopes; without them the model's do, if
    the issuer says that it knows them: strict servers refuse a request for any other scope.
    """
    issuer = discovered["issuer"]
    lines = ["# Derived from what the issuer publishes about itself."]
    lines += [f"# {line}" for line in textwrap.wrap(discovered.get("warning", ""), width=100)]
    lines += [
        f"name = {_quoted(name or urlsplit(issuer).netloc)}",
        'category = "Added"',
        f"website = {_quoted(issuer)}",
    ]
    described = _scopes(model, discovered) if scopes is None else [_asked_for(model, scope) for scope in scopes]
    asked = {scope.name for scope in described}
    for scope in described:
        lines += ["", "[[scopes]]", f"name = {_quoted(scope.name)}", f"description = {_quoted(scope.description)}"]
        lines += ["default = true"] if scope.default else []
        lines += [] if scope.echoed else ["echoed = false"]
    sections = (
        ["authorization_code", "client_credentials"] if discovered.get("authorization") else ["client_credentials"]
    )
    for section in sections:
        lines += ["", f"[{section}]", f"issuer = {_quoted(issuer)}", "discover = true"]
        if section == "authorization_code" and _OFFLINE in asked:
            lines += [f"refresh_scope = {_quoted(_OFFLINE)}"]
    if discovered.get("probe") and model.probe is not None:
        lines += ["", "[probe]", f"account_id = {_quoted(model.probe.account_id)}"]
        lines += [f"account_name = {_quoted(model.probe.account_name)}"]
    return "\n".join(lines) + "\n"


def derive_server_entry(url: str, *, name: str = "", scopes: Sequence[str] = ()) -> str:
    """Return the TOML of an entry for the MCP server at ``url``.

    The entry holds neither endpoints nor the issuer, because the server names those anew at each connect, and may move.
    Without ``scopes`` the server's own are asked for.
    """
    server = _quoted(url)
    lines = [
        "# An MCP server, which names its authorization server itself (RFC 9728).",
        f"name = {_quoted(name or urlsplit(url).netloc)}",
        'category = "MCP"',
        f"website = {server}",
        f"base_url = {server}",
        "",
        "[[params]]",
        'name = "resource"',
        'label = "The server\'s own name of itself"',
        'scope = "discovered"',
        "pattern = '^https?://[!-~]{1,490}$'",
    ]
    for scope in scopes:
        told = _quoted(scope)
        lines += ["", "[[scopes]]", f"name = {told}", f"description = {told}", "default = true"]
    lines += [
        *("", "[authorization_code]", f"protected_resource = {server}", "discover = true", 'resource = "{resource}"'),
        *("", "[probe]", f"url = {server}", 'speaks = "mcp"'),
    ]
    return "\n".join(lines) + "\n"


def _scopes(model: CatalogEntry, discovered: Mapping[str, str]) -> list[ScopeInfo]:
    supported = discovered.get("scopes_supported", "").split()
    return [scope for scope in model.scopes if not supported or scope.name in supported]


def _asked_for(model: CatalogEntry, scope: str) -> ScopeInfo:
    known = next((known for known in model.scopes if known.name == scope), ScopeInfo(name=scope, description=scope))
    return known.model_copy(update={"default": True})


def store_entry(slug: str, text: str, *, folder: Path) -> CatalogEntry:
    """Check ``text`` as the entry ``slug``, write it to ``folder`` (made if it is missing) and return the entry.

    The file appears as a whole or not at all, and not with a name that means another entry already. Raises
    ``CatalogError`` and ``OSError``.
    """
    if not re.fullmatch(SLUG_PATTERN, slug) or len(slug) > LONGEST_SLUG:
        raise CatalogError(f"{slug!r} is no slug: write lower-case letters and digits, with single - between them")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as temporary:
        path = Path(temporary) / f"{slug}.toml"
        path.write_text(text, encoding="utf-8")
        entry = load_entry(path)
        if problems := clashes(entry):
            raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in problems))
        path.chmod(0o644)
        path.replace(folder / path.name)
    return entry


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def check_entry(slug: str, text: str) -> CatalogEntry:
    """Return the entry ``slug`` that ``text`` describes; nothing is kept. Raises ``CatalogError``. Writes a file."""
    with tempfile.TemporaryDirectory(prefix="latchkey-entry-") as temporary:
        return store_entry(slug, text, folder=Path(temporary))
