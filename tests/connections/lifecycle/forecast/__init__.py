"""The forecast is tested with stored rows, and with providers that end what was foretold.

- ``causes``: ``test_upcoming.py``
"""
