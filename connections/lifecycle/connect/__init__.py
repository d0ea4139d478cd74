"""Connect: an invitation becomes a connection, and only that of the person whom the operator knows.

Promise: a code is exchanged once, for whom the session was made; nothing held is ever vended, nothing obtained lost.
In: the operator's invitation, a browser, an authorization response or a typed secret. Out: a connection, or a failure
with its code. Changes: connect sessions (by the steps of ``models.ConnectSession``), and the connection at the end.

In the order of their steps:

- ``begin``: the operator's backend makes a connect session
- ``session``: it is found, for its own browser alone; ``params``: what is fixed, typed and brought for it
- ``authorize``: from the click to the authorization request; ``asked``: what is remembered of that request
- ``callback``: the authorization response is checked; ``burn``: a code that came to the wrong browser is remembered
- ``submit_secret``: or the end user types a key
- ``hold``: what came is kept until the operator's backend confirms whose it is
- ``complete``: it confirms; ``begin_exchange``: one process gets what is held
- ``exchange``: the HTTP half; ``second_look``: what is refused a moment after it was issued is tried again;
  ``kept``: what was obtained, as it is stored meanwhile; ``exchange_failure``: what becomes of it if it fails
- ``choose_workspace``: the end user picks one of several
- ``activate``: the credential becomes the connection's; ``inherit``: what is kept of the grant before;
  ``not_refreshable``: a refresh token was to come, and did not
"""
