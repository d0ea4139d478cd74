"""Backups: the whole database in one encrypted file, and back, with its refresh tokens in quarantine.

- ``programs``: PostgreSQL's own programs, found and called without a secret on their command line
- ``envelope``: the file: what is needed to restore it, and an age stream of the dump, under a seal
- ``make``: writes one · ``restore``: checks one, and puts it into an empty database, in one transaction
"""
