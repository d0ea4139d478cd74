"""The web processes: from the server's event loop to what answers a request.

- ``front``: the ASGI application; decides who answers, and in which lane
- ``lanes``: the threads, apart for those that may wait for a provider and for all others
- ``hosts``: which host answers what
- ``request``: how Django reads a request; ``middleware``: the steps around every view
- ``processors``: each process on a processor of its own, on demand
- ``healthy``: the health check of a container
- ``pages``: the root, and every answer that no view gives

``config.asgi`` puts them together. ``config.wsgi`` is Django's handler, which the front calls in a thread.
"""
