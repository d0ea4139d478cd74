"""How staff log in, and prove who they are.

- ``adapters``, ``forms``, ``factors``, ``pages``, ``account_page``, ``urls``: ``test_second_factor.py``
- ``guesses``, ``known``: ``test_guesses.py`` · ``sessions``, ``session_store``: ``test_sessions.py``
- ``first``: ``test_first.py``
- ``sso``, ``sso_pages``, ``accounts``: ``test_sso.py``
"""
