"""The catalogue in the admin: what there is, how it is proven, and what each entry needs from the operator.

- ``urls``: the addresses, below ``/admin/providers/`` · ``pages``: who may see them, and what their frame needs
- ``browse``: the list, searched and filtered · ``entry_page``: one entry, with its checklists
"""
