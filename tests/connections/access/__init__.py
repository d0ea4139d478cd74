"""``targets`` has tests in ``test_grantor.py`` too: what happens where an app is changed."""
