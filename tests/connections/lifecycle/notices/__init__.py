"""Modules that have no test file of their own here:

- ``hand_over``: ``test_send.py``
"""
