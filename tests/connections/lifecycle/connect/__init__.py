"""The connect room is tested through the widget and the API, because a session lives in a browser.

- ``begin``: ``tests/connections/consent/test_start.py`` · ``params``: ``tests/connections/consent/test_fields.py``,
  ``tests/field/test_callback.py``
- ``session``: ``tests/connections/consent/test_start.py``, ``tests/connections/consent/test_no_cookie.py``
- ``authorize``, ``asked``: ``tests/connections/consent/test_mix_up.py``, ``tests/connections/access/test_grantor.py``
- ``scopes``: ``tests/connections/consent/test_added_scopes.py``, ``tests/field/test_added_scopes.py``
- ``not_asked``: ``tests/connections/consent/test_pushed.py``, ``tests/connections/consent/test_device_views.py``
- ``callback``: ``tests/connections/consent/test_callback.py``, ``tests/field/test_callback.py`` · ``burn``:
  ``tests/connections/consent/test_burnt.py``
- ``submit_secret``: ``tests/connections/consent/test_methods.py`` · ``ask_for_code``, ``shown_code``, ``poll_code``:
  ``tests/connections/consent/test_device_views.py``
- ``hold``, ``complete``: ``tests/connections/consent/test_finish.py``, ``tests/connections/consent/test_attackers.py``
- ``begin_exchange``, ``kept``: ``tests/connections/consent/test_resumed.py``
- ``exchange``, ``exchange_failure``: ``tests/connections/consent/test_exchange.py``,
  ``tests/field/test_unspent_codes.py``
- ``second_look``: ``tests/field/test_fresh_tokens.py`` · ``choose_workspace``:
  ``tests/connections/consent/test_workspaces.py``
- ``activate``: ``tests/connections/consent/test_reconnect.py``
- ``inherit``, ``not_refreshable``: ``tests/field/test_second_consents.py``
"""
