"""The catalogue in the admin: ``urls`` and ``pages`` are tested by ``test_browse.py`` and ``test_entry_page.py``."""
