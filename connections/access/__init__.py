"""Access: from stored rows to a provider that can be called. Opens secrets, resolves targets, checks the switches.

- ``secrets``: seals and opens stored values, each bound to its place
- ``targets``: the catalogue entry, strategy and target of a provider app
- ``switched_off``: the refusal that a kill switch or a pause causes
"""
