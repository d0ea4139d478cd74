"""The database as the rooms use it: its clock, its locks, its transactions and its prepared statements.

- ``clock``: the one clock; ``locks``: every row lock, and their order
- ``claims``: which worker goes on with a row for longer than a transaction lasts
- ``settled``: up to which id a table has all its rows
- ``pool``: short transactions, and the connection that is given back before HTTP
- ``server``: which version it has to be
- ``prepared``: statements that are parsed once and go past the ORM; ``sessions``: in which they are planned once

Detours
=======
These are all the ways that the product takes for speed past Django, ninja, kombu or its own rules. Each has a figure:
the share of the CPU time of one vend, proxied call or refresh, PostgreSQL's included, that it saves. That is the median
of five to nine rounds of ``make bench ARGS="--only detours --seconds 1"``, with and without the detour in turns, on a
busy machine with two cores. A detour whose gain cannot be told from noise is taken out. The ordinary way for each
stands under its name in ``tests/campaigns/ordinary.py``. What the raw statements say is compared with the models and
the rules in ``tests/connections/database``.

Of a vend:

- ``front`` (70 %): ``config.web.front`` gives the usual vend to ``api.vend_desk``, before Django, its middleware and
  ninja. All that is unusual goes through them.
- ``batches`` (48 %): ``api.batches`` asks the statement for all vends that wait at the same time; they share a commit.
- ``prepared`` (51 %): ``prepared`` runs statements past Django's cursor, so that PostgreSQL parses and plans them once
  a connection; Django switches that off. None of Django's query logs sees them.
- ``vend_statement`` (81 %): ``lifecycle.vend.query`` checks the key, finds the connection, decides and writes the audit
  row in one statement, where the ORM takes five. ``lifecycle.vend.rules`` is the same decision in Python, for whatever
  the statement does not allow.
- ``noticed`` (1 %, of PostgreSQL's time 14 %): ``lifecycle.vend.query`` writes ``last_vended_at`` once in five minutes,
  not at each vend.
- ``target`` (9 %): ``lifecycle.vend.opening`` keeps what a presentation needs, by the texts that it is resolved from
  and the edition of the catalogue.
- ``template`` (6 %): ``providers.catalog.template`` keeps what it has parsed of a template.
- ``catalogue`` (9 %): ``providers.catalog.loader`` looks for changed files once a second, not at each use.

Of a proxied call:

- ``audit_row`` (8 %): ``journal.audit`` writes each audit row by a prepared statement.

Of a refresh:

- ``plain_claim`` (70 %): ``lifecycle.refresh.claim_query`` locks and claims the usual refreshes in two statements;
  ``claim`` decides about whatever the statements do not claim.
- ``plain_promotion`` (74 %): ``lifecycle.credentials.promote_query`` makes versions current in one statement where
  nothing but the token has changed; ``promote`` decides about all else.
- ``store_statement`` (26 %): ``lifecycle.credentials.store`` stores what came in one statement.
- ``claimed_together`` (35 %): ``lifecycle.refresh.together`` claims the refreshes of one message with one commit, and
  sends them at the same time.
- ``stored_together`` (35 %): ``lifecycle.refresh.arrivals`` stores with one commit what came at the same time, and
  promotes it with one more.
- ``find_apps`` (7 %): the provider apps of a message's connections, in a prepared statement.
- ``calm`` (5 %): ``lifecycle.throttle.admission`` tells Redis of a success only where that would clear something, or
  before the next failure.
- ``refresh_prepared`` (51 %): ``prepared``, as above; for these, ``locks`` has row locks in SQL.
- ``broker_client`` (13 %): ``config.broker`` keeps the client that kombu makes anew for each command.
- ``together`` (61 %): ``lifecycle.sweep`` sends up to sixteen connections of one provider app in one message where many
  are due: for one message a claim, an admission, and what Celery does.

Of a job on many connections (timed by itself, three rounds each way in turns, at 20,000 rows):

- ``lifecycle.steer.bulk`` (62 %): inserts the rows of a job where they are, in one statement. The web process itself
  has nothing to do meanwhile; by the ORM it reads each id and writes it back.

Not for speed
=============
These statements say what the ORM cannot, so they have no figure. The tests compare them with the models all the same.

- ``admin.people.guesses``: counts a guess and decides in one statement, with what is stored on both sides
- ``drills.keys``: damages a sealed column, which the field would seal anew; ``drills.phases``: holds locks in a session
  of its own, as another process would
- ``lifecycle.end.forget``: renames the members of JSON objects, row by row
- ``lifecycle.figures``: counts by ``GROUPING SETS``, and writes what has changed. Its columns come from the models
- ``lifecycle.refresh.recover``: asks in the same moment who holds which advisory lock

What is asked of the server itself (its catalogues, settings, locks and clock) is no row of ours and is not listed.
"""
