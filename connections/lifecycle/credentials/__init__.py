"""Credentials: one immutable set of secrets, from the provider's answer to the place of the current one.

Promise: a credential is stored before any call uses it, and only a stored version becomes current.
In: the credential that a strategy obtained. Out: a ``CredentialVersion``, the connection's due times and its granted
scopes. Changes: credential versions, subject tokens, unread answers, granted scopes, and a connection's columns about
its current version.

- ``versions``: seals a version into a row, and makes it current
- ``store``: inserts a received version at once, without a lock (T2a)
- ``promote``: a received version becomes current, is kept as an orphan, or is destroyed (T2b)
- ``promote_query``: the same for a healthy connection, as one prepared statement
- ``spool``: keeps a version on disk while the database cannot be reached
- ``unread``: keeps an answer that could not be read; ``reread``: reads it once its catalogue entry is mended
- ``subject_tokens``: keeps what acts for one subject, while it lives; one exchange at a time for each
- ``lifetime``: a credential's lifetime where the answer did not state it; ``grant_end``: when its grant ends;
  ``due``: when to refresh and when to probe
- ``scopes``: which scopes were granted, and which were lost
"""
