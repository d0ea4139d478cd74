"""Vend: a caller gets a credential that works now, or the reason why none does.

Promise: nobody gets a credential that is not theirs to use; each vend and each refusal leaves an audit row.
In: an API key and an order. Out: an opened credential with how to present it, or a named refusal. Changes: audit rows,
and when a connection was last vended.

- ``vend``: the use case; ``query``: its one statement
- ``rules``: the same decision in Python, for every case that the statement does not allow
- ``by_owner``: finds the connection of a tenant, a provider and an end user
- ``reconnect_url``: the operator's page where an end user connects again
"""
