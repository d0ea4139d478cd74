"""Tests of what providers push. ``urls`` is tested by every push that is sent there."""
