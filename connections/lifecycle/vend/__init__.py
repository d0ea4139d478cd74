"""Vend: a caller gets a credential that works now, or the reason why none does.

Promise: nobody gets a credential that is not theirs to use; each vend and each refusal leaves an audit row.
In: an API key and an order. Out: an opened credential with how to present it, or a named refusal. Changes: audit rows,
and when a connection was last vended.

- ``vend``: the use case; ``query``: its one statement; ``rules``: the same decision in Python, for all that is unusual
- ``by_owner``: which connection is meant by tenant, provider and end user
- ``reconnect_url``: where an end user goes when the answer is that they have to
"""
