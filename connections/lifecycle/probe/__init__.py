"""Probe: notices a revocation that nobody announced, and records a proof of life.

Promise: a probe alone ends nothing that can be refreshed. In: an id. Out: a ``ProbeReport``. Changes: what ``health``
changes, when a connection is probed next, and what is kept of it for subjects.

- ``probe``: tries one connection at its provider; ``report``: a caller says that the provider refused a credential
"""
