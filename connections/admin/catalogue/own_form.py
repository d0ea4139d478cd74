"""The form of an own entry: its fields, in the groups of the page. ``catalog.usual_form`` says what they mean."""

from django import forms

from providers.catalog.schema import LONGEST_SLUG, SLUG_PATTERN, sections
from providers.catalog.usual_form import USUAL
from providers.strategies import strategies
from providers.vocabulary import ClientAuthentication

_LONGEST = 2000


def _text(label: str, help_text: str = "", *, like: str = "") -> forms.CharField:
    attrs = {"class": "vLargeTextField", "placeholder": like, "autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, required=False, max_length=_LONGEST, help_text=help_text, widget=forms.TextInput(attrs=attrs)
    )


def _lines(label: str, help_text: str) -> forms.CharField:
    attrs = {"rows": 3, "class": "vLargeTextField lines", "spellcheck": "false"}
    return forms.CharField(
        label=label, required=False, max_length=20_000, help_text=help_text, widget=forms.Textarea(attrs=attrs)
    )


class SlugForm(forms.Form):
    """The name of a new entry, which it keeps."""

    slug = forms.RegexField(
        SLUG_PATTERN.replace("$", r"\Z"),
        label="Slug",
        max_length=LONGEST_SLUG,
        help_text="How the API and the commands name it. It is fixed once the entry is made.",
        error_messages={"invalid": "Write lower-case letters and digits, with single - between them."},
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "placeholder": "acme-erp", "autocomplete": "off"}),
    )


class OwnForm(forms.Form):
    """The usual keys of the usual styles. It does not judge: the entry's own rules do, by the TOML."""

    name = _text("Name", "As end users read it.", like="Acme ERP")
    category = _text("Category", like="ERP")
    website = _text("Website", like="https://www.acme.example")
    docs_url = _text("Documentation", "The provider's page about its credentials.", like="https://docs.acme.example")
    colour = _text("Colour", "Of its icon, as #rrggbb in small letters.", like="#1f6f54")
    base_url = _text(
        "Address of the API",
        "Callers use it below this. {name} takes a value from below.",
        like="https://api.acme.example",
    )
    style = forms.ChoiceField(
        label="Style",
        required=False,
        choices=[("", "As the TOML says"), *((name, strategies()[sections()[name].style].title) for name in USUAL)],
    )
    authorization_url = _text(
        "Authorization endpoint", "By consent alone.", like="https://acme.example/oauth/authorize"
    )
    token_url = _text("Token endpoint", like="https://acme.example/oauth/token")
    revocation_url = _text("Revocation endpoint", "If there is one.")
    issuer = _text("Issuer", "If it publishes metadata.", like="https://login.acme.example")
    discover = forms.BooleanField(label="Take the endpoints from the issuer's metadata", required=False)
    client_authentication = forms.ChoiceField(
        label="Client authentication",
        required=False,
        choices=[("", "The usual (client_secret_basic)"), *((one.value, one.value) for one in ClientAuthentication)],
    )
    keeps_refresh_token = forms.BooleanField(
        label="A used refresh token lives on", required=False, help_text="Leave it empty if you are not sure."
    )
    own_registration = forms.BooleanField(
        label="Each end user brings a client id and secret", required=False, help_text="Client credentials alone."
    )
    key_label = _text("Label of the secret", "As the end user is asked for it.", like="API key")
    key_help = _text("Where to find it", like="In Acme, Settings, API access.")
    key_example = _text("An example", "One that fits its pattern, and opens nothing.")
    user_label = _text("Label of the user name", "User name and password alone.", like="Account name")
    headers = _lines("Headers that carry it", "One a line, like X-Api-Key: {api_key}. Empty: as the style has it.")
    scopes = _lines("Scopes", "One a line: profile.read = See your name. A * before it asks for it by default.")
    params = _lines("Parameters", "One a line, typed by the end user: subdomain = Your Acme subdomain.")
    probe_url = _text("A call that proves it works", "The cheapest that needs the credential.")
    probe_account_id = _text("The account's id in the answer", "A JSON Pointer.", like="/user/id")
    probe_account_name = _text("The account's name in the answer", like="/user/name")

    GROUPS = (
        ("Who it is", ("name", "category", "website", "docs_url", "colour", "base_url")),
        ("How people connect", ("style",)),
        (
            "With OAuth 2.0",
            (
                "authorization_url",
                "token_url",
                "revocation_url",
                "issuer",
                "discover",
                "client_authentication",
                "keeps_refresh_token",
                "own_registration",
                "scopes",
            ),
        ),
        ("With a key, a token or a password", ("key_label", "key_help", "key_example", "user_label", "headers")),
        ("What differs from customer to customer", ("params",)),
        ("How to see that it works", ("probe_url", "probe_account_id", "probe_account_name")),
    )

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under the headings of the page."""
        return [(heading, [self[name] for name in names]) for heading, names in self.GROUPS]


class ConfirmForm(forms.Form):
    """What an operator says before an entry moves secrets, or hides one that comes with Latchkey."""

    understood = forms.BooleanField(label="I understand this, and want it", required=False)
