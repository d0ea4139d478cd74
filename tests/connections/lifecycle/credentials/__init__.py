"""Modules that have no test file of their own here:

- ``versions``, ``promote_query``: ``test_promote.py``, ``tests/connections/lifecycle/refresh/test_plain_refresh.py``
- ``subject_tokens``: ``tests/connections/lifecycle/vend/test_for_subject.py``
- ``scopes``: ``tests/field/test_scopes.py`` · ``reread``: ``test_unread.py``, ``tests/field/test_unread_answers.py``
"""
