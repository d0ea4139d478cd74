"""The demo as a newcomer meets it, in real browsers."""
