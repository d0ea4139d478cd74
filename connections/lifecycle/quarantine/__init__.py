"""Refresh quarantine: a database that was put back to an earlier moment ends no grant.

Promise: where the database is found to be put back, by whatever means, no refresh token from before is sent until it is
known to be safe or somebody releases it: a stale one would trip the provider's reuse detection. Vends go on while
access tokens are valid, and probes, which harm nothing. In: what the database says of itself and what is remembered
outside of it; an operator's word. Out: which connections wait, and why. Changes: the installation's row, held
connections, connections' next probe, the status of those whose newer token is lost.

- ``pulse``: the beat by which a database that was put back is noticed
- ``begin``: everything is held · ``sort``: what is safe is let go, and the rest named
- ``release``: somebody lets connections refresh again · ``lost``: ends those whose newer refresh token is gone
- ``standing``: how far it has come, in numbers, and what holds one connection
"""
