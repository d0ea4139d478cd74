"""Modules that have no test file of their own here:

- ``audit_export``: ``tests/connections/journal/test_trail.py``
- ``operator_command``: by every command's test
"""
