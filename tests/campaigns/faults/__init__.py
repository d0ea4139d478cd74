"""The fault campaign: the promises of refresh, liveness and the vault, measured under faults on real processes.

``make faults`` runs every row of ``ROWS`` at full counts and prints a table of figures, and as its last line one of
JSON whose ``ok`` is false if any row missed its target. Databases, provider and workers are a private local stack: the
campaign restarts the one and floods the others, so it never uses those of ``DATABASE_URL`` and ``REDIS_URL``. The
provider's own request log and the database are what is judged by; nothing of the product is replaced.

What is not real is said in the docstring of each row. The stack's processes are forked from one that has imported the
product (``tests.warm``). Waits of the product (the lease of 60 s, the 30 s between two refusals, the time until a probe
is due) are sped up by moving times in the database, never by changing the code.
"""
