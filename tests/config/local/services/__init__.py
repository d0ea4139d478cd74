"""Modules that have no test file of their own here:

- ``private_server``, ``postgres_binaries``: ``test_postgres.py``, ``test_valkey.py``
"""
