"""Provision: make and change tenants, provider apps and callers, for the API, the admin, the commands and the demo.

Promise: every entry is checked before it is written, and written with its audit row. In: what an
operator has typed, called or declared. Out: the row, or a refusal that names the field. Changes: tenants, their brands
and domains, provider apps, API clients and their keys, trusted issuers, and the files of the operator's own entries.

- ``tenants``: the operator's customers · ``brands``: how their pages look, and the operator's own ·
  ``domains``: which hosts are theirs
- ``provider_apps``: our registrations at providers, with their client secrets · ``check_app``: what one may say ·
  ``register_app``: has one registered at its server without hands
- ``client_secrets``: these one by one · ``push_secrets``: by which what providers send by themselves is known
- ``secret_sources``: client secrets that are read from where the operator keeps them · ``read_source``: one such look
- ``own_providers``: entries of the catalogue that are the operator's own
- ``app_keys``: the key pairs of those registrations
- ``api_clients``: who may call, with which keys
- ``trusted_issuers``: whose tokens are believed, and which of them are which API client
- ``roles``: what staff may do · ``staff``: the first operator, and what is taken back from accounts
- ``callers``: to whom a key or a proven token belongs, and which tenant a call is about
"""
