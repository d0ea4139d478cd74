"""The Django app: everything that Latchkey knows and promises. Imports go one way, from the top of this list down.

Entrances, which translate, make one call of the lifecycle and translate back:

- ``admin``: the operators' pages; ``consent``: the hosted widget; ``api``: the internal JSON API
- ``management``: the operators' commands; ``tasks``: the Celery tasks, whose arguments are ids
- ``entrance``: what entrances of every kind need to know of who calls
- ``drills``: faults on purpose, to show on a running stack that the promises hold
- ``templatetags``: what the templates of the admin are filled with; ``apps``: what is checked as a process starts

What is promised:

- ``lifecycle``: rooms by promise, one use case a file

The kernel, of which nothing is a use case:

- ``access``: from rows to a provider that can be asked: opened secrets, targets, switches
- ``journal``: audit rows and events; ``database``: clock, locks, transactions, prepared statements
- ``refusals``: every way to say no, with its stable code; ``dispatch``: the names of the tasks, sent on commit
- ``models``: the tables, and every table of allowed steps; ``migrations``: how they came to be
- ``vault``: keys, sealing and opening, without the ORM
"""
