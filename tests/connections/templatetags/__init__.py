"""Modules that have no test file of their own here:

- ``latchkey_admin``: ``tests/connections/admin/test_pages.py`` · ``icons``: ``tests/connections/test_monogram.py``
"""
