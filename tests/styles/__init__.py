"""Each auth style through a whole life: from the widget to the end, at the sandbox as it really runs.

``contract`` is what holds for all; each module adds how its style connects, and what only it does. What a strategy does
by itself is in ``tests/providers/strategies``.
"""
