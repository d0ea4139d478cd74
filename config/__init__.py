"""Composition: settings, URLs, the WSGI and Celery applications. Imports everything, is imported by nothing below.

- ``settings``: everything that differs between installations, from the environment
- ``urls``: the addresses · ``wsgi``: the web processes
- ``celery``: the workers · ``schedule``: the periodic tasks · ``broker``: drops invalid messages from the queues
- ``middleware``: the steps before any view · ``request``: how a request is decoded
- ``logging``: one line an event · ``hidden``: settings that hold a password
- ``local``: the stack of a developer's machine
"""
