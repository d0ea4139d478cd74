"""Custodians against servers that check what they are sent as their vendors' pages say (``stand_ins.py``).

Modules that have no test file of their own here:

- ``asking``, ``leases``: ``test_openbao.py`` · ``custody``: ``tests/config/test_custody.py``
"""
