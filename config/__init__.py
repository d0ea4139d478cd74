"""Composition: settings, URLs, the WSGI and Celery applications. Imports everything, is imported by nothing below.

- ``settings``: all that differs between installations, from the environment · ``urls`` · ``wsgi``: the web processes
- ``celery``: the workers · ``schedule``: what runs by itself · ``broker``: rubbish in the queues
- ``middleware``: what happens before any view · ``request``: how a request is read
- ``logging``: one line an event · ``hidden``: settings that hold a password
- ``local``: the stack of a developer's machine
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
