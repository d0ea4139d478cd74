"""Access: from stored rows to a provider that can be called. Opens secrets, resolves targets, checks the switches.

- ``secrets``: seals and opens stored values, each bound to its place
- ``held_keks``: key-encryption keys that a key management service has wrapped, unwrapped and in memory
- ``key_checks``: whether the keys in force open what is stored
- ``key_lists``: a mark of the lists of keys that this process follows
- ``sealed_places``: every column of sealed values, and to what each is bound
- ``installation_key``: the key that signs for this installation
- ``app_keys``: the key pairs of provider apps, and the one that signs
- ``addresses``: the whole addresses of our own pages
- ``targets``: the catalogue entry, strategy and target of a provider app
- ``parties``: whom the calls of a connection go to, where that is not simply the provider
- ``staff``: which rows a member of staff may see
- ``switched_off``: the refusal that a kill switch or a pause causes
"""
