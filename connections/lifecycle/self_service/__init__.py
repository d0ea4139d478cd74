"""Self-service: what an end user sees and does of their own connections, on a page of ours.

Promise: whoever has the page reaches the connections of the one end user for whom the operator's backend asked for it,
and no others; it shows no secret, and gives nobody a new way to plant an account: what is connected from it is
confirmed like all else (``connect``). In: the operator's invitation, a browser. Out: what to show, or a named refusal.
Changes: management sessions; all else by the use cases of other rooms.

- ``begin``: the operator's backend invites · ``visit``: from the click to the end, for one browser
- ``own``: the connections of the visit, and no others · ``change``: rename, prefer, disconnect one
- ``reconnect``: begin to renew one, or to connect another account
- ``shared``: who else may use one, by access grants, and ending that · ``questions``: what waits for their approval
- ``receipts``: who used a connection, when, for what
"""
