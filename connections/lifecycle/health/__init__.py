"""Health: the evidence about a grant, and the one gate of a connection's status.

Promise: a status changes only as the table allows, with an audit row and an event; no single refusal ends a grant.
In: refusals, proofs and failures of one credential version, with the connection locked. Out: its status and reason.
Changes: a connection's status, evidence and marks; incidents.

- ``status``: the gate; ``rules``: the decisions, as pure functions
- ``strikes``: two refusals end a grant; a proof of life clears the suspicion
- ``failing``: refreshes that fail again and again, although the provider does not call the grant dead
- ``expire``: ends a connection whose credential cannot be refreshed and has run out
- ``incidents``: many connections fail at once, or our registration is refused; meanwhile no connection is ended
- ``attend``: looks at incidents, for the beat · ``facts``: what is counted of them · ``causes``: what they come from;
  pure · ``telling``: their events and notices
- ``undecryptable``: a stored credential does not open
- ``moved``: the endpoints are not those that issued the credential
"""
