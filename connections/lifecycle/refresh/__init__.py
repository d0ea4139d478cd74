"""Refresh: exactly one refresh in flight, and no rotated token lost.

Promise: three transactions make it so. T1 claims the right to send. The request goes out without a lock and without a
transaction. T2a stores the answer; T2b makes it current. From the row of an attempt that did not end, any process can
tell what may have happened to the refresh token. In: an id, and how urgent the refresh is. Out: a ``RefreshReport``.
Changes: refresh attempts, credential versions through ``credentials``, and of connections the status through
``health``, when they are refreshed next, and to which party they lead.

- ``together``: the refreshes of one message, claimed with one commit and sent at once; ``helpers``: its threads
- ``refresh``: the whole way of one, and how a caller waits in its thread for a refresh that is under way
- ``waits``: how callers wait for one without a thread
- ``claim``: T1, with every rule of when a refresh may begin; ``claim_query``: the usual cases as prepared statements
- ``sent``: what is remembered outside of the database of the refresh tokens that were sent
- ``settle``: records an exchange, however it ended; ``judge_refusal``: decides what a refusal means
- ``arrivals``: T2a and T2b of the answers that have come at the same time
- ``recover``: attempts that did not end, and the rules of doubt
- ``presence``: whether the process that claimed an attempt is alive
"""
