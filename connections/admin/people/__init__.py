"""People: how members of staff prove who they are, and what they see of their own accounts.

django-allauth has the flows of passwords, second factors and proving oneself again. What is ours is around them: which
of its pages there are, how they look, who is let in, and what is kept where.

- ``urls``: the pages, below ``/admin/`` · ``pages``: the frame of the admin around them
- ``adapters``: what django-allauth asks us · ``forms``: what people type
- ``guesses``: wrong passwords and codes, counted by account and by address · ``known``: the browsers of an account
- ``factors``: seeds at rest, codes that are good once, and whether a session has a second factor
- ``sessions``: login sessions, how long they last, and where they are · ``session_store``: where they are kept
- ``account_page``: one's own account, with all of this
- ``sso``: single sign-on by OpenID Connect · ``sso_pages``: its steps · ``accounts``: whose account somebody has
- ``first``: the page that makes the first operator
"""
