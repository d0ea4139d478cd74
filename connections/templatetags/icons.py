"""Template tags of the icons of providers, for the widget and the admin."""

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from connections.monogram import Named, colour_of, letters_of, monogram_of

register = template.Library()


@register.simple_tag
def icon(entry: Named) -> SafeString:
    """Return the icon of an entry as an SVG within the page."""
    return monogram_of(entry)


@register.simple_tag
def icon_url(entry: Named) -> str:
    """Return the address of an entry's icon."""
    return reverse("connect:icon", args=[colour_of(entry).removeprefix("#"), letters_of(entry.name)])
