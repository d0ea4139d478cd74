"""What is written down is tested where it is written.

- ``audit``: ``tests/connections/api/test_vend.py``, ``tests/connections/api/test_canaries.py``
- ``event_types``: ``test_events.py``, and ``events`` also in ``tests/connections/api/test_connections.py``
- ``canonical``, ``audit_keys``, ``verify``, ``verifications``: ``test_sealing.py``, and what an erasure leaves:
  ``tests/connections/lifecycle/end/test_forget.py``
- ``shapes``: ``test_trail.py``
- ``notices``: ``tests/connections/lifecycle/notices``, ``tests/connections/admin/test_notices.py``
- ``meters``: ``tests/connections/api/test_metrics.py``, ``tests/processes/test_metrics.py``
- ``flood``: ``tests/connections/api/test_refused_keys.py``
"""
