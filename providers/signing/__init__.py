"""Signing: key pairs, their certificates, and what is signed with them. No I/O.

- ``keys``: key pairs, made here or brought · ``certificates``: the X.509 certificates beside them
- ``key_set``: the public halves as a JWK Set · ``tokens``: signed tokens · ``oauth1``: requests of OAuth 1.0a
"""
