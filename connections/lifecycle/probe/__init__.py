"""Probe: a revocation that nobody announced is noticed, and a proof of life is recorded.

Promise: a probe alone ends nothing that can be refreshed. In: an id. Out: a ``ProbeReport``. Changes: what ``health``
changes.

- ``probe``: one connection is tried at its provider; ``report``: a caller says that a credential was refused
"""
