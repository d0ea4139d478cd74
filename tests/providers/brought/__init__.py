"""Modules that have no test file of their own here:

- ``connection``: ``test_columns.py`` · ``json_stream``: ``test_files.py``
"""
