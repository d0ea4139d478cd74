"""The catalogue in the admin.

- ``urls``, ``pages``: ``test_browse.py``, ``test_entry_page.py`` · ``own_form``: ``test_own_pages.py``
"""
