"""A demo customer app: what an operator's product does with Latchkey, as short as it can be. Made to be copied.

``latchkey`` is the whole of the API client, ``app`` the pages, ``login`` the product's own users, ``words`` what they
are told. It knows Latchkey over HTTP only and imports none of it.
"""
