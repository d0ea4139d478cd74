"""Signing: key pairs, their certificates, and what is signed with them. No I/O.

- ``keys``: key pairs, made here or brought · ``certificates``: the X.509 certificates beside them ·
  ``client_certificates``: those that end users bring
- ``key_set``: the public halves as a JWK Set · ``tokens``: signed tokens · ``oauth1``, ``aws_sigv4``: requests
- ``saml``: signed assertions of SAML 2.0
"""
