"""The demo as a newcomer meets it, in real browsers, on one running stack: each test brings another person."""
