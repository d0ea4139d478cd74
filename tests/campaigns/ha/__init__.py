"""High availability: two of each process on one PostgreSQL and one Valkey, and what callers saw of each loss.

``python -m tests.campaigns.ha [--only ROW…] [--watch 25] [--json]`` (``make ha``) kills each, cuts and freezes each
line, and counts: vends that failed, refreshes that were asked for twice, connections whose credential ended before its
refresh, grants that were lost. Callers are spread over both web processes, and go to the other where one refuses the
connection, as a load balancer does.

- ``relay``: a line that can be cut and frozen · ``scene``: the installation, and its callers
- ``losses``: each loss, and what it may cost
"""
