"""Modules that have no test file of their own here:

- ``scripts``: ``test_admission.py``
"""
