"""Tests of the refresh quarantine."""
