"""The vend is tested through the API.

- ``query``: ``tests/connections/api/test_vend_agreement.py``, ``tests/connections/database/test_statement_rules.py``
- ``opening``, ``order``, ``refusal``: ``test_vend.py``
- ``under_grant``: ``tests/connections/api/test_vend_grants.py``
- ``verified``: ``tests/connections/api/test_verified_parties.py``
- ``by_owner``, ``reconnect_url``: ``tests/connections/api/test_vend.py``
"""
