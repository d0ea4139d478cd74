"""Composition: settings, URLs, the web processes and the workers. Imports everything, is imported by nothing below.

- ``settings``: everything that differs between installations, from the environment
- ``given``: the environment, and the files that it names · ``key_files``: follows files of keys that change ·
  ``custody``: where key management services and vaults are
- ``public_urls``: where it is reached
- ``urls``: the addresses · ``asgi``: the web processes · ``wsgi``: Django, which they call · ``web``: who answers what
- ``loading``: loads a web process sooner
- ``celery``: the workers · ``schedule``: the periodic tasks · ``broker``: drops invalid messages from the queues
- ``traces``: OpenTelemetry · ``crash_reports``: Sentry's protocol
- ``metering``: answers for what the processes have measured · ``alive``: by what health checks know a worker
- ``logging``: one line an event · ``hidden``: settings that hold a password
- ``local``: the stack of a developer's machine
"""
