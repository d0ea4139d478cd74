"""What a brand is changed to, however it was given: over the API, in the admin or by a command."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BrandProfile:
    """What a brand is changed to. "" and None are values that are not set; the operator's or ours stand in for them.

    ``colors`` and ``dark_colors`` map a role of ``palette.ROLES`` to #rrggbb. ``texts`` maps a language to own words by
    place. ``logo`` and ``favicon`` are data URIs of at most 64 KiB; None keeps what is there, and "" removes it.
    ``name`` is the operator's: tenants have a name of their own.
    """

    colors: Mapping[str, str] = field(default_factory=dict)
    dark_colors: Mapping[str, str] = field(default_factory=dict)
    radius: int | None = None
    font: str = ""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    support_url: str = ""
    privacy_url: str = ""
    locale: str = ""
    logo: str | None = None
    favicon: str | None = None
    name: str = ""
