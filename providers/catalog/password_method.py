"""What an entry says about the password grant (RFC 6749 §4.3), which is for providers that offer nothing better."""

from collections.abc import Iterator

from providers.catalog.fields import SecretField
from providers.catalog.methods import RefreshableMethod


class PasswordMethod(RefreshableMethod):
    """The resource owner's password, typed here and exchanged for tokens (RFC 6749 §4.3).

    RFC 9700 §2.4 forbids this grant, so ``legacy = true`` has to be said, and the operator has to allow it for each
    provider app. The password is discarded once it has brought tokens (§4.3.2). With ``keeps_password`` it is kept, and
    sent again as each token ends: for a server that gives no refresh token. ``fields`` may give the two fields other
    labels and patterns; their names stay ``username`` and ``password``.
    """

    style = "oauth2_password"

    legacy: bool = False
    keeps_password: bool = False
    fields: tuple[SecretField, ...] = (
        SecretField(name="username", label="User name", secret=False, pattern=r"^[!-~]{1,512}$"),
        SecretField(name="password", label="Password", pattern=r"^[ -~]{1,4096}$"),
    )

    @classmethod
    def section(cls) -> str:
        return "password_grant"

    @property
    def is_legacy(self) -> bool:
        return True

    @property
    def cautions(self) -> tuple[str, ...]:
        told = (
            "The end user types the password of their account here, and no second factor can be asked for: RFC 9700 "
            "§2.4 forbids this grant. Use it only where the provider offers nothing else."
        )
        return (told, "The password is stored as well.") if self.keeps_password else (told,)

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    def slips(self) -> Iterator[str]:
        if not self.legacy:
            yield (
                "password_grant.legacy: RFC 9700 §2.4 forbids this grant; describe another way to connect, or say "
                "legacy = true if the provider offers no other"
            )
        if {"username", "password"} - {field.name for field in self.fields}:
            yield "password_grant.fields: the grant sends a username and a password; name the two fields so"
