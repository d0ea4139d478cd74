"""End: disconnected, revoked at the provider, deleted.

Promise: vends stop at once; what is somebody else's is not revoked; secrets are gone when the provider has confirmed,
after 24 hours at the latest. In: a connection or a tenant. Out: how far it is. Changes: connections, credential
versions, data keys, and every table of a tenant that is deleted.

- ``disconnect``: vends stop; ``revoke``: the provider is asked; ``revocation_proof``: was it done?
- ``siblings``: other connections that a revocation would end as well
- ``delete_tenant``: all that is the tenant's own goes
"""
