"""The zero-service stack of a developer's machine: databases as wheels, one supervisor, the demo. Never for production.

Nothing outside this package and ``tests`` imports it.
"""
