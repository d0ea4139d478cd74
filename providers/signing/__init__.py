"""Signing: key pairs, their certificates, and what is signed with them. No I/O.

- ``bounds``: what a key may cost to open and to check, known before either · ``ber``, ``pem``: the look at containers
- ``keys``: key pairs, made here or brought · ``certificates``: the X.509 certificates beside them ·
  ``client_certificates``: those that end users bring · ``pkcs12``: the files in which they have them
- ``key_set``: the public halves as a JWK Set · ``tokens``: signed tokens · ``oauth1``, ``aws_sigv4``: requests
- ``saml``: signed assertions of SAML 2.0
"""
