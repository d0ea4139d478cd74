"""``manage.py brands``: how the pages of tenants look, and the operator's own."""

import argparse
import base64
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from connections.brand.fonts import Font
from connections.brand.palette import ROLES
from connections.brand.pictures import MOST_BYTES
from connections.brand.profile import BrandProfile
from connections.brand.texts import PLACES
from connections.lifecycle.provision.brands import save_brand
from connections.management.operator_command import OperatorCommand, operator, pairs, tenant_named
from connections.management.output import Answer, sheet
from connections.models import Brand

_DARK = [f"dark_{role}" for role in ROLES]
_PLAIN = ("name", "font", "support_url", "privacy_url", "locale")


class Command(OperatorCommand):
    help = "Show and change how the pages of a tenant look, or of the operator."

    def add_subcommands(self) -> None:
        show = self.subcommand(
            "show",
            _show,
            help_text="Show a brand: of a tenant, or without --tenant the operator's.",
            examples=("", "--tenant acme --json"),
        )
        change = self.subcommand(
            "set",
            _set,
            help_text="Change a brand: what is not given stays, and an empty value unsets it.",
            examples=(
                "--tenant acme --accent '#0f766e' --logo acme.svg",
                "--tenant acme --own-text 'de.continue=Weiter' --support-url https://acme.example/help",
                "--name 'Initech' --favicon initech.png --font humanist --radius 6",
            ),
        )
        for parser in (show, change):
            parser.add_argument("--tenant", metavar="SLUG", help="Whose; without it the operator's own.")
        _add_values(change)


def _add_values(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="The operator's name, for pages that belong to no tenant.")
    for role in (*ROLES, *_DARK):
        parser.add_argument(f"--{role.replace('_', '-')}", dest=f"color_{role}", metavar="#RRGGBB", help="A colour.")
    parser.add_argument("--radius", metavar="PIXELS", help="How round corners are.")
    parser.add_argument("--font", help=f"One of {', '.join(Font.values)}.")
    parser.add_argument("--locale", metavar="LANGUAGE", help="The language of the pages, unless a session names one.")
    parser.add_argument("--support-url", metavar="URL", help="Shown under every page.")
    parser.add_argument("--privacy-url", metavar="URL", help="Shown under every page.")
    parser.add_argument(
        "--own-text",
        action="append",
        metavar="LANGUAGE.TEXT=WORDS",
        help=f"Own words, repeatable. Texts: {', '.join(PLACES)}.",
    )
    for picture in ("logo", "favicon"):
        parser.add_argument(f"--{picture}", metavar="FILE", help="PNG, JPEG, GIF, WebP or SVG, at most 64 KiB.")


def _show(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    brand = Brand.objects.filter(tenant=tenant).defer("logo", "favicon").first() or Brand(tenant=tenant)
    data = _data(brand)
    return Answer(data, sheet(list(data.items())))


def _set(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    kept = Brand.objects.filter(tenant=tenant).defer("logo", "favicon").first() or Brand(tenant=tenant)
    plain = {name: getattr(kept, name) if options[name] is None else options[name] for name in _PLAIN}
    colors = {
        role: getattr(kept, role) if options[f"color_{role}"] is None else options[f"color_{role}"]
        for role in (*ROLES, *_DARK)
    }
    profile = BrandProfile(
        **plain,
        colors={role: colors[role] for role in ROLES},
        dark_colors={role: colors[f"dark_{role}"] for role in ROLES},
        radius=kept.radius if options["radius"] is None else _pixels(options["radius"]),
        texts=_texts(kept.texts, pairs(options["own_text"])),
        logo=_data_uri(options["logo"]),
        favicon=_data_uri(options["favicon"]),
    )
    data = _data(save_brand(tenant, profile, actor=operator()))
    whose = f"the brand of {tenant.slug}" if tenant is not None else "the operator's brand"
    return Answer(data, f"Changed {whose}.\n{sheet(list(data.items()))}")


def _pixels(given: str) -> int | None:
    if given and not given.isdecimal():
        raise CommandError("Give the radius as a number of pixels.")
    return int(given) if given else None


def _texts(kept: dict[str, dict[str, str]], given: dict[str, str]) -> dict[str, dict[str, str]]:
    texts = {language: dict(own) for language, own in kept.items()}
    for where, words in given.items():
        language, _, place = where.partition(".")
        own = texts.setdefault(language, {})
        own.pop(place, None)
        if words:
            own[place] = words
    return texts


def _data(brand: Brand) -> dict[str, Any]:
    return {
        "tenant": brand.tenant.slug if brand.tenant is not None else None,
        "name": brand.tenant.name if brand.tenant is not None else brand.name,
        **{name: getattr(brand, name) for name in (*ROLES, *_DARK, "radius", *_PLAIN[1:], "texts")},
        "has_logo": bool(brand.logo_media_type),
        "has_favicon": bool(brand.favicon_media_type),
    }


def _data_uri(name: str | None) -> str | None:
    if not name:
        return name
    try:
        if Path(name).stat().st_size > MOST_BYTES:
            raise CommandError(f"The picture {name!r} is larger than 64 KiB: give a smaller one.")
        content = Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"The picture {name!r} cannot be read: {error.strerror}.") from None
    return f"data:image/any;base64,{base64.b64encode(content).decode()}"
