"""A demo customer app: what an operator's product does with Latchkey, as short as it can be. Made to be copied.

``latchkey`` is the whole API client, ``app`` the pages, ``login`` the product's own users, ``words`` the texts that
they read. The app talks to Latchkey over HTTP only and imports nothing of it.
"""
