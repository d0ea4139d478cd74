"""Modules that have no test file of their own here: ``oauth1``: ``tests/providers/strategies/test_oauth1.py``."""
