"""Forecast: which connections will end, when and why, before anybody is hurt by it.

Promise: what a refresh keeps alive is refreshed in time (``credentials.due``) and not foretold; of everything else an
event warns once for each cause, two weeks ahead. Comes in: the ends that other rooms keep on the rows. Goes out: lists
in the order of the dates, events, and one notice a day. Changes: ``foretold`` and ``crowded_at`` of connections.

- ``causes``: what a connection, or something of ours that it needs, ends of
- ``upcoming``: the endings to come, page by page; each kind is read from an index of its own, and the pages are merged
- ``foretell``: the early event of each connection that will end soon
- ``crowd``: which connection the next grant of its account would end
- ``digest``: the notice of the day
"""
