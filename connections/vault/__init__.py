"""The vault: keyrings, data keys, seal and open. Pure: no ORM, no settings, no I/O.

Two layers from two roots. The inner one (here) is AES-256-GCM under a data key of the tenant's own, bound to the place
where the value lives. The outer one is the Fernet of the database column (``connections.models.fields``).

- ``keyring``: key-encryption keys, and the data keys that they wrap
- ``sealing``: seal and open · ``signing``: the keys that sign the audit trail's seals
"""
