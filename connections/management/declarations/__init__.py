"""Declarations: what an operator wants there to be, written in a file, for ``manage.py apply``.

- ``document``: what such a file may say, and where secrets come from
- ``carry_out``: compares it with what is stored, and makes the difference, by the use cases of the API and the admin
- ``work``: what is under way meanwhile · ``entries``: those that are files · ``rows``: everything else
- ``changes``: what was or would be changed, in words

Nothing is ever deleted by a file: what it does not name stays.
"""
