"""Journal: writes audit rows, and the events that the operator's services read. Neither ever holds a secret.

- ``audit``: who asked for what, and what was decided
- ``sealing``: chains the audit rows and signs them · ``canonical``: a row's bytes · ``audit_keys``: who signs
- ``verify``: names the first row or seal that is broken · ``verifications``: those that the workers run
- ``trail``: reads the trail in order, for exports · ``shapes``: OCSF and CSV
- ``events``: what has changed, written in the transaction that changed it · ``event_types``: the types that there are
- ``notices``: what the operator's people are told, likewise
- ``crashes``: who is told of crashes besides the log
- ``meters``: how often things happen and how long they take, for ``/metrics``; kept in the process
- ``flood``: how many rows an unauthenticated caller can cause
"""
