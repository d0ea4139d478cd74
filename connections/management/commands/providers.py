"""``manage.py providers``: the catalogue, and adding to it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from connections.lifecycle.provision.own_providers import write_own_provider
from connections.management.operator_command import OperatorCommand, operator, words
from connections.management.output import Answer, sheet, table
from connections.models import ProviderApp
from providers.catalog.additions import derive_entry, derive_server_entry, slug_of
from providers.catalog.cautions import cautions_of
from providers.catalog.checklist import checklist_of
from providers.catalog.entry_schema import entry_schema, entry_schema_text
from providers.catalog.loader import (
    CatalogError,
    UnknownProvider,
    catalog_files,
    clashes,
    entry,
    is_built_in,
    load_catalog,
    load_entry,
)
from providers.catalog.resolve import overruled, spelled_out
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill, names
from providers.errors import ProviderError
from providers.oauth.discovery import discover
from providers.oauth.protected_resource import discover_server

_MODEL = "oidc"


class Command(OperatorCommand):
    help = "List, show and check the entries of the catalogue, print their JSON Schema, and add further ones."

    def add_subcommands(self) -> None:
        self.subcommand("list", _list, help_text="List the catalogue.", examples=("", "--json"))
        show = self.subcommand("show", _show, help_text="Show one entry.", examples=("hubspot", "hubspot --json"))
        show.add_argument("slug", metavar="SLUG", help="As `list` shows it.")
        check = self.subcommand(
            "check", _check, help_text="Check one file, or every entry of the catalogue.", examples=("", "acme.toml")
        )
        check.add_argument("file", nargs="?", metavar="FILE", help="An entry that is not in the catalogue yet.")
        trial = self.subcommand(
            "try",
            _try,
            help_text="Rehearse an entry, step by step, at a stand-in that is strict about the vendor's dialect: what "
            "is sent, what is answered and how the entry reads it. Nothing leaves this machine. The dialects of "
            "built-in entries are known; for an entry of your own, answer the questions of `dialect`.",
            examples=(
                "hubspot",
                "salesforce --auth-style oauth2_jwt_bearer",
                "acme.toml --dialect acme.dialect.toml",
                "acme --say api=https://api.acme.example --say 'headers={ X-Key = \"{key}\" }'",
            ),
        )
        trial.add_argument("slug", metavar="SLUG", help="As `list` shows it, an alias, or the FILE.toml of an entry.")
        trial.add_argument("--auth-style", metavar="STYLE", help="One style of the entry. Default: all that are known.")
        trial.add_argument("--dialect", metavar="FILE", help="The answered questions of `dialect`.")
        trial.add_argument(
            "--say", action="append", metavar="KEY=VALUE", help="One key of the dialect, in place of what is known."
        )
        dialect = self.subcommand(
            "dialect",
            _dialect,
            help_text="Print the questions about the dialect of an entry's vendor, for `try --dialect`.",
            examples=("acme > acme.dialect.toml",),
        )
        dialect.add_argument("slug", metavar="SLUG", help="As for `try`.")
        dialect.add_argument("--auth-style", metavar="STYLE", help="The style of the entry. Default: its first.")
        self.subcommand(
            "schema",
            _schema,
            help_text="Print the JSON Schema of an entry, for editors: keep it beside an entry whose first line is "
            "`#:schema ./entry.schema.json`.",
            examples=("> entry.schema.json",),
        )
        add = self.subcommand(
            "add",
            _add,
            help_text="Add an entry from a file, or one derived from what an issuer publishes (RFC 8414, OpenID "
            "Connect Discovery), or from what an MCP server says of itself (RFC 9728). Added entries live in the "
            "folder LATCHKEY_CATALOG_DIR.",
            examples=(
                "acme.toml",
                "--issuer https://login.example.com/",
                "--issuer http://127.0.0.1:8000 --slug acme-login --name 'Acme login' --scopes openid offline_access",
                "--mcp https://mcp.example.com/mcp --name 'Example tools'",
            ),
        )
        add.add_argument("file", nargs="?", metavar="FILE.toml", help="The entry; the file's name is its slug.")
        add.add_argument("--issuer", metavar="URL", help="Exactly as the issuer spells itself.")
        add.add_argument("--mcp", metavar="URL", help="The address of an MCP server, as its documentation gives it.")
        add.add_argument("--slug", help="With --issuer or --mcp: the slug. Default: from the host.")
        add.add_argument("--name", help="With --issuer or --mcp: what end users read. Default: the host.")
        add.add_argument(
            "--scopes", nargs="+", metavar="SCOPE", help="With --issuer or --mcp: the scopes to ask for by default."
        )
        add.add_argument("--replace", action="store_true", help="Take the place of an entry of the same slug.")


def _list(options: dict[str, Any]) -> Answer:
    files = catalog_files()
    data = [_data(found, files[slug]) for slug, found in load_catalog().items() if slug in files]
    rows = [(row["slug"], row["name"], row["category"], row["source"], row["auth_styles"]) for row in data]
    headings = ("slug", "name", "category", "source", "connects by")
    cautions = [line for row in data for line in row["cautions"]]
    return Answer(data, "\n".join([table(headings, rows, nothing="The catalogue is empty."), *cautions]))


def _show(options: dict[str, Any]) -> Answer:
    slug = options["slug"]
    try:
        found = entry(slug)
    except UnknownProvider:
        raise CommandError(f"There is no provider {slug!r}: `manage.py providers list` shows them.") from None
    path = catalog_files()[found.slug]
    data = _data(found, path) | {"entry": found.model_dump(mode="json", exclude_defaults=True)}
    facts: list[tuple[str, object]] = [
        ("name", found.name),
        ("slug", found.slug),
        ("also found as", [f"{alias} ([{section}])" for alias, section in found.aliases.items()]),
        ("category", found.category),
        ("documentation", found.docs_url),
        ("facts", _facts_of(found)),
        ("connects by", list(found.auth_styles)),
        ("parameters", [f"{param.name} ({param.scope}): {param.label}" for param in found.params]),
        ("scopes", [f"{scope.name}{' (default)' if scope.default else ''}" for scope in found.scopes]),
        ("probe", _probe_of(found)),
        ("wins over discovery", _overruled_at_apps(found)),
        ("to do first", _to_do(found)),
        ("note", list(found.notes)),
        ("caution", data["cautions"]),
        ("file", str(path)),
    ]
    return Answer(data, sheet(facts))


def _facts_of(found: CatalogEntry) -> str:
    if found.facts is None:
        return "an entry of your own"
    apart = [f"{section}: {confidence}" for section, confidence in found.facts.styles.items()]
    return "; ".join([f"confidence {found.facts.confidence}, on {found.facts.checked_on}", *apart])


def _to_do(found: CatalogEntry) -> list[str]:
    """Return the operator's checklist for each style, a line each, named where there are several."""
    several = len(found.auth_styles) > 1
    return [
        f"{f'{style}: ' if several else ''}{step}" for style in found.auth_styles for step in checklist_of(found, style)
    ]


def _probe_of(found: CatalogEntry) -> str:
    if found.probe is None:
        return "none"
    return f"{found.probe.method} {found.probe.url or '(the discovered userinfo endpoint)'}"


def _try(options: dict[str, Any]) -> Answer:
    from connections.management.trials import try_entry  # noqa: PLC0415 - no other command needs the stand-ins

    return try_entry(options)


def _dialect(options: dict[str, Any]) -> Answer:
    from connections.management.trials import ask_about  # noqa: PLC0415 - likewise

    return ask_about(options)


def _schema(options: dict[str, Any]) -> Answer:
    return Answer(entry_schema(), entry_schema_text().rstrip("\n"))


def _check(options: dict[str, Any]) -> Answer:
    paths = [Path(options["file"])] if options["file"] else list(catalog_files().values())
    problems: dict[str, list[str]] = {}
    found: list[CatalogEntry] = []
    for path in paths:
        try:
            one = load_entry(path)
        except CatalogError as error:
            problems[str(path)] = str(error).splitlines()
            continue
        if taken := clashes(one):
            problems[str(path)] = [f"{path.name}: {problem}" for problem in taken]
        found.append(one)
    data: dict[str, Any] = {"ok": not problems, "checked": len(paths), "problems": problems}
    if problems:
        return Answer(data, "\n".join(line for lines in problems.values() for line in lines), is_success=False)
    notes = [note for one in found for note in (_compared(one) if options["file"] else _overruled_at_apps(one))]
    notes += [line for one in found for line in _cautions(one)]
    told = f"{len(paths)} entr{'y is' if len(paths) == 1 else 'ies are'} in order."
    return Answer(data | {"notes": notes}, "\n".join([told, *notes]))


def _add(options: dict[str, Any]) -> Answer:
    if [bool(options[name]) for name in ("file", "issuer", "mcp")].count(True) != 1:
        raise CommandError("Give either FILE.toml, or --issuer URL, or --mcp URL.")
    folder: Path = settings.CATALOG_DIR
    offered: list[str] = []
    if options["mcp"]:
        slug, text = _derived_of_server(options, offered)
    else:
        slug, text = _derived(options) if options["issuer"] else _from_file(options)
    known = catalog_files().get(slug)
    if known is not None and not options["replace"]:
        hint = "rename the file" if options["file"] else "choose another --slug"
        raise CommandError(f"There is a provider {slug!r} already ({known}): {hint}, or --replace it.")
    try:
        found = write_own_provider(slug, text, actor=operator())
    except OSError as error:
        raise CommandError(f"The entry cannot be written to {folder}: {error.strerror}.") from None
    path = folder / f"{slug}.toml"
    by_hand = "" if options["mcp"] else " --client-id ID --client-secret-file FILE"
    then = f"manage.py provider_apps add {slug}{by_hand}"
    notes = [*offered, *_compared(found), *_cautions(found)]
    lines = [f"{'Added' if known is None else 'Replaced'} the provider {slug}: {path}", *notes, f"Next: {then}"]
    return Answer(_data(found, path) | {"created": known is None, "notes": notes}, "\n".join(lines))


def _overruled_at_apps(found: CatalogEntry) -> list[str]:
    """Return where the entry contradicts the metadata with which its provider apps were made, a line each."""
    notes: dict[str, None] = {}
    for app in ProviderApp.objects.filter(provider=found.slug).exclude(discovered={}).order_by("created_at"):
        notes |= dict.fromkeys(_notes(found, app.auth_style, app.discovered))
    return list(notes)


def _cautions(found: CatalogEntry) -> list[str]:
    """Return what an operator should know of the entry's styles, a line each."""
    return [
        f"Caution: {found.slug} by {style}: {told}" for style in found.auth_styles for told in cautions_of(found, style)
    ]


def _compared(found: CatalogEntry) -> list[str]:
    """Return where the entry contradicts its issuer's current metadata, and what else the metadata says, a line each.

    Calls the issuer, if the entry names one.
    """
    notes: dict[str, None] = {}
    for style in found.auth_styles:
        method = found.oauth_method(style)
        if method is None or not method.discover or method.server or names(method.issuer):
            continue
        try:
            discovered = discover(fill(method.issuer, {}), spelled_out=spelled_out(method))
        except ProviderError as error:
            notes[f"Note: the issuer's metadata cannot be used: {error.evidence.detail}"] = None
            continue
        notes |= dict.fromkeys(_notes(found, style, discovered))
        if warning := discovered.get("warning"):
            notes[f"Note: {method.issuer}: {warning}"] = None
    return list(notes)


def _notes(found: CatalogEntry, style: str, discovered: Mapping[str, str]) -> Iterator[str]:
    method = found.oauth_method(style)
    if method is None or not method.discover:
        return
    for name, said, other in overruled(method, discovered):
        key = f"{method.section()}.{name}"
        yield f"Note: {found.slug}: {key} is {said!r} here and {other!r} in the metadata; the entry wins."


def _from_file(options: dict[str, Any]) -> tuple[str, str]:
    if options["slug"] or options["name"] or options["scopes"]:
        raise CommandError("--slug, --name and --scopes go with --issuer and --mcp; a file says them itself.")
    path = Path(options["file"])
    load_entry(path)
    return path.stem, path.read_text(encoding="utf-8")


def _derived(options: dict[str, Any]) -> tuple[str, str]:
    discovered = discover(options["issuer"])
    slug = options["slug"] or slug_of(options["issuer"])
    scopes = words(options["scopes"])
    return slug, derive_entry(entry(_MODEL), discovered, name=options["name"] or "", scopes=scopes)


def _derived_of_server(options: dict[str, Any], offered: list[str]) -> tuple[str, str]:
    """Return slug and text of the entry of an MCP server, and add to ``offered`` what the server says now."""
    url = options["mcp"]
    server = discover_server(url)
    known = {"client_id_metadata_document": "a Client ID Metadata Document", "registration": "dynamic registration"}
    ways = [told for key, told in known.items() if server.discovered[key]]
    offered.append(f"Its authorization server is {server.issuer}. Clients register by {' or '.join(ways) or 'hand'}.")
    if server.scopes is not None:
        offered.append(f"It asks for the scopes {', '.join(server.scopes)}.")
    text = derive_server_entry(url, name=options["name"] or "", scopes=words(options["scopes"]) or ())
    return options["slug"] or slug_of(url), text


def _data(found: CatalogEntry, path: Path) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "category": found.category,
        "aliases": dict(found.aliases),
        "confidence": {style: found.confidence_of(style) for style in found.auth_styles},
        "checklist": {style: list(checklist_of(found, style)) for style in found.auth_styles},
        "auth_styles": list(found.auth_styles),
        "cautions": _cautions(found),
        "website": found.website,
        "docs_url": found.docs_url,
        "source": "built in" if is_built_in(path) else "added",
        "file": str(path),
    }
