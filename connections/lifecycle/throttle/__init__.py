"""Throttle: may this provider be asked now? What one connection learns of it holds for the whole provider app.

Promise: nothing is sent before ``Retry-After``, nor past an open breaker, nor beyond the budget of requests.
In: the outcome of each call. Out: how long to wait. Keeps its state in Redis, and changes no table.

- ``admission``: asked before each call, and told what came of it; ``scripts``: what is kept, and the Lua that does it
"""
