"""The pages as people see them, in real browsers."""

from playwright.sync_api import expect

# Beside other tests a page may take many seconds; none is promised to be sooner. In milliseconds.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)
# How Chromium is started. Nobody sits before it: it draws without a GPU and without the pretence of one. And sites may
# share a process, of which a page sees nothing.
LEAN = (
    *("--no-sandbox", "--disable-background-networking"),
    *("--disable-gpu", "--disable-software-rasterizer", "--disable-site-isolation-trials"),
)
