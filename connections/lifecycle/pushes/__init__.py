"""Pushes: what a provider tells us by itself, of its own accord.

Promise: nothing changes by a push that the provider app's own secret, or the keys of its issuer, do not prove; one
that says that a grant is gone ends the connections of that account and app, each once, and no other's. What it says of
anything else reaches the tenants' endpoints that have asked for it. Its body is not kept. Comes in: a request of
anybody's. Goes out: how to answer it. Changes: received pushes, connections' status and credentials, events.

- ``receive``: verifies one and keeps what it orders, in milliseconds · ``allowance``: how many there may be
- ``concern``: which connections an event is about · ``act``: ends them, or has the provider asked
- ``forward``: what is not about a grant becomes an event of its connection
"""
