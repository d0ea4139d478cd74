"""Custodians: services of the operator's own, which keep keys and secrets for it. Where they are, settings say.

They are reached by ``egress`` as servers of the operator, over their HTTP APIs: their vendors' libraries open sockets
themselves, and weigh more than all else together.

- ``custody``: what the settings say of them · ``asking``: one call, with a short deadline, and how it fails ·
  ``leases``: what is good for a while
- ``aws``, ``google``, ``azure``, ``openbao`` (and HashiCorp Vault): who we are there, and a call of each
- ``wrapping``: one interface to wrap a key by any of them, and to unwrap it
- ``references``: where a secret is, in writing · ``mounted``: secrets in files · ``reading``: a secret by its reference
"""
