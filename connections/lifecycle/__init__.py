"""The lifecycle: what Latchkey promises, in rooms. Each room keeps one promise, and each use case is one file.

A room imports only rooms below its own group (``importlinter`` in ``pyproject.toml`` has the groups):

- ``self_service``: what an end user sees and does of their own connections
- ``proxy``: sends a caller's request with the credential, and brings the answer back
- ``port``: connections come in from another system
- ``watch``: notices suspicious use of API clients, and answers it
- ``keys``: newer keys take over from older ones while everything runs

- ``steer``: what an operator asks for

- ``vend``: a caller gets a credential that works now, or the reason why not
- ``probe``: notices a revocation that nobody announced
- ``pushes``: what a provider tells us by itself
- ``quarantine``: a database that was put back to an earlier moment ends no grant

- ``refresh``: one refresh in flight, and no rotated token lost
- ``end``: disconnects, revokes, deletes
- ``connect``: an invitation becomes a connection
- ``provision``: makes and changes tenants, provider apps and callers
- ``sweep``: finds what is due, for the beat
- ``housekeeping``: deletes rows whose retention is over
- ``figures``: counts, for the first page of the admin

- ``forecast``: which connections will end, when and why

- ``credentials``: one immutable set of secrets: sealed, stored, made current
- ``registration``: become a client of an authorization server, without hands
- ``webhooks``: every event reaches whoever is to be told, in order
- ``notices``: the operator's people are mailed what has happened, once for one cause

- ``health``: the evidence about a grant, and the one gate of a connection's status
- ``throttle``: decides whether a provider may be asked now
- ``policy``: decides who may use whose connection: ``policy.decide`` is a pure function, for vends and proxied requests
- ``identify``: who is behind a token: a caller, an end user, an agent
- ``answers``: a repeated call does nothing, and gets its answer again

No transaction here spans HTTP. Every public function says whether it does I/O or takes a lock. ``now`` is a parameter:
the entrances read it from ``database.clock``.
"""
