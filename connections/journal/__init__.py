"""Journal: writes audit rows, and the events that the operator's services read. Neither ever holds a secret.

- ``audit``: who asked for what, and what was decided
- ``events``: what has changed, written in the transaction that changed it · ``event_types``: the types that there are
- ``flood``: how many rows an unauthenticated caller can cause
"""
