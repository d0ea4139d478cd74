"""Vend: a caller gets a credential that works now, or the reason why none does.

Promise: nobody gets a credential that is not theirs to use; each vend and each refusal leaves an audit row.
In: an API key and an order. Out: an opened credential with how to present it, or a named refusal. Changes: audit rows,
and when a connection was last vended.

- ``order``: what a caller asks; ``vend``: the use case, for one order or many at once; ``query``: its one statement
- ``rules``: the same decision in Python, for every case that the statement does not allow
- ``under_grant``: finds the access grant where an order needs one; ``policy`` decides
- ``refusal``: why not, in words that a caller can act on
- ``opening``: opens the credential and says how to present it
- ``for_subject``: exchanges the token of a subject, or takes what is kept of it
- ``verified``: for whom a vend is, where tokens say so
- ``by_owner``: finds the connection of a tenant, a provider and an end user
- ``reconnect_url``: the page where an end user connects again, or reads where to
"""
