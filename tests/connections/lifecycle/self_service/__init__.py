"""Modules that have no test file of their own here:

- ``visit``, ``own``, ``change``, ``reconnect``: ``tests/connections/consent/test_withdrawn.py``
"""
