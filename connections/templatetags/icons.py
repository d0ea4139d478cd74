"""Template tags of the icons of providers, for the widget and the admin."""

from django import template
from django.utils.safestring import SafeString

from connections.monogram import Named, monogram_of

register = template.Library()


@register.simple_tag
def icon(entry: Named) -> SafeString:
    """Return the icon of an entry as an SVG within the page."""
    return monogram_of(entry)
