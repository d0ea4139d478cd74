"""Throttle: may this party be asked now? What one connection learns counts for all that lead to the same party.

Promise: nothing is sent before ``Retry-After``, nor past an open breaker, nor beyond the budget of requests.
In: the outcome of each call. Out: how long to wait. Changes: no table, but keys in Redis.

- ``admission``: admits each call before it is made, and learns from its outcome
- ``bulkhead``: how many threads of one process may wait for one provider
- ``turns``: equal shares of one provider's rate limit for all who call by the same credential
- ``pace``: a caller that is slowed down, because its use was suspicious
- ``scripts``, ``turn_scripts``: the keys in Redis, and the Lua that reads and changes them · ``shared``: runs it
"""
