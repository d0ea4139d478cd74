"""Refresh: exactly one refresh in flight, and no rotated token lost.

Promise: design by transactions. T1 claims the right to send; the request goes out with no lock and no transaction; T2a
stores what came; T2b makes it current. Whoever finds an attempt that did not end knows what may have happened to it.
In: an id, and how urgent it is. Out: a ``RefreshReport``. Changes: refresh attempts, and credential versions through
``credentials``.

- ``refresh``: the whole way, and how callers wait for one that is under way
- ``claim``: T1, with every rule of when a refresh may begin; ``claim_query``: the usual case as prepared statements
- ``settle``: what is recorded of an exchange, however it ended; ``judge_refusal``: what a refused one means
- ``recover``: attempts that did not end, and the rules of doubt; ``presence``: is the process alive that claimed one?
"""
