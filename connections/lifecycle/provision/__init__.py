"""Provision: tenants, provider apps and callers are made and changed, by the API, the admin, the commands and the demo.

Promise: what is entered is checked first, and written with its audit row. Changes: tenants, provider apps, API clients
and their keys.

- ``tenants``; ``provider_apps``: our registrations at providers, with their client secrets
- ``api_clients``: who may call, with which keys; ``callers``: whose key it is, and which tenant a call is about
"""
