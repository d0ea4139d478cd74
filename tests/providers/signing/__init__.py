"""Modules that have no test file of their own here: ``oauth1``, ``aws_sigv4``:
``tests/providers/strategies/test_oauth1.py``, ``tests/providers/strategies/test_aws_sigv4.py``."""
