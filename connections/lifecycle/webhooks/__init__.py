"""Webhooks: every event reaches every endpoint that is told it, at least once, in the order of its connection.

Promise: an event that an endpoint is told is delivered until it is taken (2xx), or has failed for three days. What is
about one connection arrives in its order. No endpoint waits for another. Nothing that the outbox still keeps is lost
by a crash, an outage or a disabled endpoint, and what it no longer keeps is counted and told. Comes in: events of the
outbox. Goes out: signed requests (Standard Webhooks). Changes: webhook endpoints, their secrets and deliveries.

One run delivers to one endpoint at a time, under a lease: so the order is kept whatever workers do. In a run each
*lane*, which is a connection, has its requests sent one after the other, and lanes go in parallel. A lane whose first
delivery fails waits, and no other. Where the endpoint fails as a whole, it waits as a whole and one request tries it.

- ``endpoints``: add, change, disable, enable and remove endpoints, and rotate their secrets
- ``attend``: finds the endpoints that need a run, for the beat · ``deliver``: one run
- ``spread``: makes the deliveries of new events · ``post``: one request · ``settle``: what its outcome means
- ``schedule``: when to try again; pure · ``signing``: signatures; pure · ``message``: what is sent
- ``content``: what a provider pushed, kept until those who asked for it have it
- ``missed``: counts what the outbox no longer keeps · ``resend``: deliver once more · ``trial``: sends a test event now
"""
