"""Registration: become a client of an authorization server, without hands.

Promise: one registration an issuer and provider app, however many connect at once; credentials that one server gave go
to no other. In: a provider app, and what an authorization server says of itself. Out: a ``RegisteredClient``. Changes:
registered clients, and which of them a connection has.

- ``locate``: asks the end user's own server where to consent, and has our client there
- ``obtain``: the registration at one issuer: the one that there is, else made now by one process alone
- ``ways``: which way a server offers: a Client ID Metadata Document, dynamic registration, or none
- ``document``: what we say of a client, in the document and in the registration
- ``refused``: gives up a registration that its server does not know any more
- ``renew``: renews a registration before its secret ends, and ends those that nobody uses any more
- ``sealed``: how the result of a registration goes into its row
"""
