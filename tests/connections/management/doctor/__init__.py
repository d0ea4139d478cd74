"""The doctor is shown installations that are broken in one way each: ``test_examine.py``.

- ``findings``, ``installation``, ``storage``, ``parties``: there as well
- ``constraints``: in ``connections/database/test_server``
- ``trail``: in ``connections/journal/test_sealing``
"""
