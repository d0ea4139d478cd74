"""End: disconnected, revoked at the provider, deleted.

Promise: vends stop at once; other people's grants are not revoked; the secrets are destroyed when the provider has
confirmed the revocation, after 24 hours at the latest. In: a connection or a tenant. Out: how far the ending has come.
Changes: connections, credential versions, data keys, and every table of a tenant that is deleted.

- ``disconnect``: stops the vends; ``revoke``: asks the provider; ``revocation_proof``: proves that the provider did it
- ``given_up``: tells of revocations that the provider did not do
- ``end_sessions``: ends connect sessions, except where an answer is on its way
- ``siblings``: other connections that a revocation would end as well
- ``offboard``: ends what an end user has who leaves; ``belongings``: what that is; ``forget``: erases them
- ``delete_tenant``: destroys everything that belongs to a tenant · ``batches``: deletes many rows, a few at a time
"""
