"""The zero-service stack of a developer's machine: databases as wheels, one supervisor, the demo. Never for production.

Promises: one command starts everything and one signal stops it; nothing stays behind, not even after a kill; only
Python has to be installed. Only ``tests``, and ``manage.py`` in development, import this package.

- ``__main__``: ``make demo``, the whole stack until Ctrl-C
- ``run``: a command under throwaway settings, for checks of the code
- ``bootstrap``: makes ``.venv``; the Makefile runs it by its path, before anything is installed
- ``demo``: starts the stack's processes in order, with demo data and a customer's product
- ``services``: a private PostgreSQL and a private Valkey
- ``clients``: writes the generated halves of the clients in ``static/clients``
- ``supervisor``: child processes, the state folder, and the watchdog that cleans up after a kill

Imports go one way: ``__main__ | run > demo | clients > services > supervisor``. ``bootstrap`` imports nothing of ours.
The smoke run, which asserts, is ``tests.smoke``.
"""
