"""How brands look. Modules that have no test file of their own here:

- ``profile``, ``form``: ``tests/connections/admin/test_brand.py`` · ``fonts``: by ``test_look.py``
"""
