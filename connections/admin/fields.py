"""Form fields of the admin: lists with one item a line, moments, and secrets that are written and never shown."""

from typing import Any

from django import forms

from connections.database.clock import in_utc

_ONE_A_LINE = {"rows": 4, "class": "vLargeTextField lines", "spellcheck": "false"}


class LinesField(forms.CharField):
    """A list of strings, one a line; empty lines do not count."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **{"widget": forms.Textarea(attrs=_ONE_A_LINE), "required": False, **options})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class MomentField(forms.DateTimeField):
    """A moment in UTC, to the minute; None where nothing is typed."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"widget": widget, "required": False, **options})

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        try:
            return None if typed is None else in_utc(typed)
        except ValueError as fault:
            raise forms.ValidationError(str(fault)) from None


class SecretLines(forms.Textarea):
    """A text area that never shows its value, not even the typed text when a form comes back with errors."""

    def __init__(self) -> None:
        super().__init__(
            attrs={"rows": 3, "class": "vLargeTextField secret", "autocomplete": "off", "spellcheck": "false"}
        )

    def format_value(self, value: Any) -> None:
        return None


class SecretLinesField(LinesField):
    """Secrets in order, one a line; an empty list means that nothing was typed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": SecretLines(), **options})
