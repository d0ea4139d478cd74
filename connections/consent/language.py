"""The language of a page: the session's, else the brand's, else the browser's, else English.

The widget's languages are ``settings.LANGUAGES``. A tag is matched as people mean it: ``de-AT`` is German, and ``pt``
is the Portuguese that there is. A language that the widget lacks does not count, so that the next wish does.
"""

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_bidi, to_locale
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header


def language_for(request: HttpRequest, *wishes: str) -> str:
    """Return the language of a page, as ``settings.LANGUAGES`` spells it. ``wishes`` come before the browser's."""
    return preferred_language(request.headers.get("Accept-Language", ""), *wishes)


def preferred_language(accept_language: str, *wishes: str) -> str:
    """Do as ``language_for``, where there is no more of the request than its header (RFC 9110 §12.5.4). No I/O."""
    accepted = parse_accept_lang_header(accept_language.lower())
    for wish in (*wishes, *(tag for tag, quality in accepted if quality > 0)):
        if found := _supported(wish):
            return found
    return settings.LANGUAGE_CODE


def shown_in(language: str) -> dict[str, object]:
    """Return what every page says of its language: its tag (BCP 47), its direction, and the mark of English texts.

    Call it where the language is the active one.
    """
    return {
        "language": to_locale(language).replace("_", "-"),
        "direction": "rtl" if get_language_bidi() else "ltr",
        "untranslated": SafeString("") if language == settings.LANGUAGE_CODE else _UNTRANSLATED,
    }


# Words of the catalogue (labels of fields, help) are in English.
_UNTRANSLATED = mark_safe(' lang="en" dir="ltr"')


def _supported(tag: str) -> str | None:
    try:
        return get_supported_language_variant(tag.lower()) if tag else None
    except LookupError:
        return None
