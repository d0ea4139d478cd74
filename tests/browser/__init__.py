"""The pages as people see them, in real browsers."""

from playwright.sync_api import expect

# Beside other tests a page may take many seconds; none is promised to be sooner. In milliseconds.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)
