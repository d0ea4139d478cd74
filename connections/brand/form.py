"""The fields in which an operator types a brand: of the admin's page, and of the preview beside it. No I/O."""

import base64
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from connections.brand.fonts import Font
from connections.brand.palette import DARK, LIGHT, ROLES
from connections.brand.pictures import MOST_BYTES
from connections.brand.profile import BrandProfile
from connections.brand.texts import PLACES
from connections.models import Brand
from connections.models.brand import WIDEST_RADIUS

_ACCEPTED = "image/png,image/jpeg,image/gif,image/webp,image/svg+xml"
_MEANINGS = {
    "accent": "Buttons and outlines",
    "background": "Behind the card",
    "surface": "The card",
    "text": "What is written on it",
}
_TEXTS_HELP = "One a line, as “de continue = Weiter”: a language, which text, and the words. Texts: " + ", ".join(
    f"{name} ({place.meaning}{''.join(f', {{{held}}}' for held in sorted(place.placeholders))})"
    for name, place in PLACES.items()
)


def _color(role: str, defaults: dict[str, str]) -> forms.CharField:
    return forms.CharField(
        required=False,
        label=role.capitalize(),
        help_text=_MEANINGS[role],
        widget=forms.TextInput(attrs={"placeholder": defaults[role], "size": 9, "spellcheck": "false"}),
    )


def _link(label: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"size": 32, "placeholder": "https://"})
    return forms.CharField(required=False, label=label, help_text="Shown under every page.", widget=widget)


def _picture(label: str, help_text: str) -> forms.FileField:
    return forms.FileField(
        required=False,
        label=label,
        help_text=f"PNG, JPEG, GIF, WebP or SVG, at most 64 KiB. {help_text}",
        widget=forms.FileInput(attrs={"accept": _ACCEPTED}),
    )


class BrandForm(forms.ModelForm[Brand]):
    """The fields of a brand. ``profile`` is what they say; whether that may be is decided where it is written."""

    name = forms.CharField(required=False, max_length=120, help_text="What pages without a tenant are headed with.")
    accent, background, surface, text = (_color(role, LIGHT) for role in ROLES)
    dark_accent, dark_background, dark_surface, dark_text = (_color(role, DARK) for role in ROLES)
    radius = forms.IntegerField(
        required=False, min_value=0, max_value=WIDEST_RADIUS, help_text="How round the corners are, in pixels."
    )
    font = forms.ChoiceField(required=False, choices=[("", "Not set"), *Font.choices])
    locale = forms.ChoiceField(
        required=False,
        label="Language",
        choices=[("", "As the browser asks"), *settings.LANGUAGES],
        help_text="A connect session that names a language comes first.",
    )
    own_texts = forms.CharField(
        required=False,
        label="Own texts",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField lines"}),
        help_text=_TEXTS_HELP,
    )
    support_url = _link("Help")
    privacy_url = _link("Privacy")
    logo_file = _picture("Logo", "Leave it empty to keep the present one.")
    remove_logo = forms.BooleanField(required=False, help_text="Show the first letter of the name instead.")
    favicon_file = _picture("Favicon", "Without one it is the logo.")
    remove_favicon = forms.BooleanField(required=False)

    class Meta:
        model = Brand
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = self.instance
        for name in self.fields:
            if hasattr(brand, name):
                self.initial.setdefault(name, getattr(brand, name))
        self.initial.setdefault("own_texts", lines_of(brand.texts))
        if brand.tenant_id is not None:
            del self.fields["name"]

    def clean_own_texts(self) -> dict[str, dict[str, str]]:
        """Return the texts by language and place."""
        return _texts_in(self.cleaned_data["own_texts"])

    def clean_logo_file(self) -> UploadedFile[bytes] | None:
        """Return the file, if it is small enough to be read."""
        return _small(self.cleaned_data["logo_file"])

    def clean_favicon_file(self) -> UploadedFile[bytes] | None:
        """Return the file, if it is small enough to be read."""
        return _small(self.cleaned_data["favicon_file"])

    def profile(self) -> BrandProfile:
        """Return what valid fields say."""
        typed = self.cleaned_data
        return BrandProfile(
            name=typed.get("name", ""),
            colors={role: typed[role] for role in ROLES},
            dark_colors={role: typed[f"dark_{role}"] for role in ROLES},
            radius=typed["radius"],
            font=typed["font"],
            texts=typed["own_texts"],
            support_url=typed["support_url"],
            privacy_url=typed["privacy_url"],
            locale=typed["locale"],
            logo="" if typed["remove_logo"] else _data_uri(typed["logo_file"]),
            favicon="" if typed["remove_favicon"] else _data_uri(typed["favicon_file"]),
        )

    def field_at_fault(self, member: str) -> str | None:
        """Return the name of the field that stands for a member of the profile; None for the whole form."""
        name = {"logo": "logo_file", "favicon": "favicon_file"}.get(member, member.partition(".")[0])
        name = {"texts": "own_texts"}.get(name, name)
        return name if name in self.fields else None


def lines_of(texts: dict[str, dict[str, str]]) -> str:
    """Return own texts as they are typed: one a line."""
    return "\n".join(f"{language} {place} = {text}" for language, own in texts.items() for place, text in own.items())


def _texts_in(typed: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in filter(None, (line.strip() for line in typed.splitlines())):
        where, equals, text = line.partition("=")
        language, _, place = where.strip().partition(" ")
        if not equals or not place:
            raise forms.ValidationError("Write each line as: a language, which text, an equals sign, and the words.")
        found.setdefault(language.lower(), {})[place.strip()] = text.strip()
    return found


def _small(file: UploadedFile[bytes] | None) -> UploadedFile[bytes] | None:
    if file is not None and (file.size or 0) > MOST_BYTES:
        raise forms.ValidationError("It is larger than 64 KiB: give a smaller one.")
    return file


def _data_uri(file: UploadedFile[bytes] | None) -> str | None:
    return None if file is None else f"data:image/any;base64,{base64.b64encode(file.read()).decode()}"
