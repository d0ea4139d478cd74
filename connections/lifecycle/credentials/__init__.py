"""Credentials: one immutable set of secrets, from the provider's answer to the place of the current one.

Promise: what a provider gave is stored before anything is asked of it, and nothing else becomes current.
In: what a strategy obtained. Out: a ``CredentialVersion``, the connection's due times and its granted scopes.
Changes: credential versions, unread answers, granted scopes, and what a connection knows of its current version.

- ``versions``: sealed into a row, and made current
- ``store``: a received version is inserted, whatever else goes on (T2a)
- ``promote``: it takes the place of the current one, is kept as an orphan, or goes (T2b)
- ``promote_query``: the same for a healthy connection, as two prepared statements
- ``spool``: on disk where the database cannot be reached
- ``unread``: an answer that nobody could read is kept; ``reread``: it is read, once its entry is mended
- ``lifetime``: how long it lives where the answer did not say; ``grant_end``: when its grant ends; ``due``: when to act
- ``scopes``: which scopes were granted, and which were lost
"""
