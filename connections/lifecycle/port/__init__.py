"""Port: connections come in from another system, and go out with their tenant.

Promise: what is brought is checked before anything is stored, stored sealed before anything is sent, and refreshed once
by the way that every refresh goes, so that from then on no other house rotates its refresh token. A process that is
killed at any moment leaves what another goes on with: no row is stored twice, no refresh token is sent by two. A report
never holds a secret. In: the rows of a file or of calls. Out: connections, and a report that says of each row what came
of it. Changes: imports and their rows, connections, credential versions; bundles, tenants, brands, provider apps
and access grants of a tenant that arrives, and the kill switch of one that leaves.

- ``options``: how an import is wanted · ``order``: begins one, or finds the one that the same file began
- ``judge``: what a row means here, or why it cannot be used · ``row_key``: knows a credential again
- ``take``: judges rows and keeps the good ones, sealed · ``store``: makes connections of them · ``conflicts``: those
  that are there already · ``prove``: refreshes and probes what was stored
- ``hand_out``: a tenant's exit bundle · ``bundle_file``: its file, encrypted and signed ·
  ``receive``: the tenant of one, with ``receive_beside``: its provider apps and access grants
- ``go_on``: takes an import as far as possible · ``report``: what came of each row, in codes and words
"""
