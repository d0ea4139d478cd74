"""The Django app: everything that Latchkey knows and promises. Imports go one way, from the top of this list down.

Entrances. Each translates its input, makes one lifecycle call and translates the result back:

- ``admin``: the operators' pages; ``consent``: the hosted widget; ``api``: the internal JSON API
- ``published``: what providers may fetch about our registrations; ``pushed``: what they send us by themselves
- ``management``: the operators' commands; ``tasks``: the Celery tasks, whose arguments are ids
- ``entrance``: who a request comes from, how a crash is logged, how a picture is served, for every entrance over HTTP
- ``monogram``: the icon of a provider; ``asked_fields``: what end users type; both for the widget and the admin
- ``drills``: deliberate faults that show on a running stack that the promises hold
- ``templatetags``: the template tags of our pages; ``apps``: the checks that run when a process starts

The promises:

- ``lifecycle``: rooms by promise, one use case a file

The kernel. Nothing in it is a use case:

- ``brand``: how the pages of a tenant look; pure but for the rows that it reads
- ``access``: from rows to a provider that can be called: opened secrets, targets, switches
- ``journal``: audit rows and events
- ``database``: clock, locks, transactions, prepared statements
- ``valkey``: clients of Redis or Valkey, wherever that is
- ``refusals``: every way to say no, with its stable code; ``dispatch``: the names of the tasks, sent on commit
- ``models``: the tables, and every table of allowed steps; ``migrations``: the history of the database schema
- ``vault``: keys, sealing and opening, without the ORM
"""
