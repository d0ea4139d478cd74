"""Modules that have no test file of their own here:

- ``attach``: ``tests/config/test_manage.py``
"""
