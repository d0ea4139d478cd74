"""Modules that have no test file of their own here:

- ``demo_data``: ``test_seed.py``
"""
