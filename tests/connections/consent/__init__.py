"""The widget, page by page, with a real provider behind it; the lifecycle's ``connect`` room is tested here as well.

- ``views``: ``test_start.py``, ``test_methods.py``, ``test_fields.py`` · ``callback_views``: ``test_callback.py``,
  ``test_mix_up.py``
- ``outcome_views``: ``test_callback.py``, ``test_no_cookie.py`` · ``workspace_views``: ``test_workspaces.py``,
  ``test_workspace_attackers.py``
- ``decorators``: ``test_pages.py``, ``test_bad_requests.py`` · ``sender``: ``test_old_browsers.py``
- ``icon_views``: ``tests/connections/test_monogram.py``
- ``picture_views``: ``test_brand.py`` · ``preview_views``: ``tests/connections/admin/test_brand_preview.py``
- ``language``: ``test_languages.py``
- ``manage_words``: ``test_manage_views.py`` · ``manage_pages``: also ``test_manage_attackers.py``
- ``cookies``: ``tests/config/test_cookies.py`` · ``urls``: by every test
"""
