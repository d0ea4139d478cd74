"""Policy: who may use whose connection, for what.

Promise: a connection is used by its owner, or under an access grant that somebody gave, has not revoked and whose time
is not over; every refusal says which rule denied it. In: who asks, for which connection, and for what. Out: the grant
that allows it, or the refusal. Changes: access grants, approvals, and of connections who answers for them.

- ``decide``: the decision, a pure function of the facts, the request and the grants; the vend and the proxy ask it
- ``client_rules``: the methods and paths that an API client may use through the proxy
- ``paths``: which path of a request a pattern of a grant means
- ``check``: asks the decision with the grants that there are, and raises the refusal
- ``approve``: asks for the approval that a grant may need, and answers; ``approve_link``: where people answer
- ``give``, ``revoke``: the use cases that change grants
- ``reach``: no API client gives another more than it has, and none answers for one by which it is called
- ``share``: who answers for a connection, and whether it is used under grants only
"""
