"""Modules that have no test file of their own here:

- ``operator_command``: by every command's test
"""
