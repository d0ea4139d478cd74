"""The generators of the clients, on small documents; what they make of the real one is in ``tests/clients``.

- ``types``: ``test_reading.py``
"""
