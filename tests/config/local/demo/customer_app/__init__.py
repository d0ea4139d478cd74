"""Modules that have no test file of their own here:

- ``app``, ``latchkey``, ``login``, ``words``: ``tests/config/local/demo/test_customer_app.py``
"""
