"""Connect: an invitation becomes a connection of the person whom the operator invited, and of nobody else.

Promise: a code is exchanged once, for the person for whom the session was made; nothing that is held is ever vended;
nothing that was obtained is lost. In: the operator's invitation, a browser, an authorization response or a typed
secret. Out: a connection, or a failure with its code. Changes: connect sessions (by the steps of
``models.ConnectSession``), burnt codes, and the connection: pending while something is held, and active at the end.

In the order of their steps:

- ``begin``: the operator's backend makes a connect session
- ``session``: finds a session, for its own browser alone
- ``params``: the parameters of a session: fixed by the operator, typed by the end user, brought by the callback
- ``scopes``: the scopes of a session: what it may ask for and asks for, and what the connection keeps
- ``authorize``: from the click to the authorization request; ``asked``: the record of that request
- ``not_asked``: the refusal where the provider is asked before the end user goes there, and does not agree
- ``callback``: checks the authorization response; ``burn``: remembers a code that came to the wrong browser
- ``submit_secret``: instead of a redirect, the end user types a key
- ``ask_for_code``: instead of a redirect, the end user enters a code at the provider; ``shown_code``: the record of
  that code; ``poll_code``: asks the provider how it went, and holds what it gives
- ``hold``: keeps the code or the key until the operator's backend confirms whose it is
- ``complete``: the operator's backend confirms; ``begin_exchange``: claims the held grant for one process
- ``exchange``: the HTTP half; ``second_look``: tries a credential again that is refused a moment after its issue;
  ``kept``: the credential that was obtained, in the form in which the session stores it;
  ``exchange_failure``: decides what happens to the session after a failed exchange
- ``trace``: keeps what each of these steps sent and got, for operators
- ``choose_workspace``: the end user picks one of several workspaces
- ``activate``: makes the credential the connection's current one; ``inherit``: keeps the refresh token of the earlier
  grant where the new one brought none; ``not_refreshable``: reports that an expected refresh token did not come
"""
