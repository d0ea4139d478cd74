"""The pages as people see them, in real browsers."""

from playwright.sync_api import expect

# What shall be there is waited for: beside other tests a page may take many seconds. None is promised to be sooner.
expect.set_options(timeout=60_000)
