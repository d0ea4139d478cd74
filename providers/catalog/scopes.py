"""The scopes of an entry."""

from providers.catalog.fields import Shape


class ScopeInfo(Shape):
    """A scope in plain words, for the consent page.

    ``default`` is asked for unless a session names its own scopes; ``required`` always, because without it the grant
    could not be refreshed or probed.
    """

    name: str
    description: str
    default: bool = False
    required: bool = False
