"""Pushes: what a provider sends us by itself. Is it the provider's, and what does it say?

An entry's ``[push]`` (``providers.catalog.pushes``) says how each provider does it. Nothing here knows connections.

- ``arrival``: a push as it came, and why one is refused · ``events``: the events that it holds
- ``verify``: signatures and shared secrets · ``security_event``: security event tokens (RFC 8417), which cost HTTP
- ``read``: events, accounts and challenges
"""
