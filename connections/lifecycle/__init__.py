"""What Latchkey promises, in rooms: each keeps one promise, one use case a file. A room imports only rooms below it.

- ``steer``: what an operator asks for
- ``vend``: a caller gets a credential that works now, or the reason why not · ``probe``: a silent revocation is noticed
- ``refresh``: one refresh in flight, and no rotated token lost · ``connect``: an invitation becomes a connection
- ``end``: disconnected, revoked, deleted · ``provision``: tenants, provider apps and callers are made and changed
- ``sweep``: finds what is due, for the beat · ``housekeeping``: deletes what has served its time
- ``credentials``: one immutable set of secrets: sealed, stored, made current
- ``health``: what is known of a grant, and the one gate of a connection's status
- ``throttle``: may a provider be asked now

Nothing here opens a transaction across HTTP; every public function says whether it does I/O or takes a lock. ``now`` is
a parameter: the entrances read it from ``database.clock``.
"""
