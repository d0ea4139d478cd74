"""The catalogue in the admin: what there is, how it is proven, and what each entry needs from the operator.

- ``urls``: the addresses, below ``/admin/providers/`` · ``pages``: who may see them, and what their frame needs
- ``browse``: the list, searched and filtered · ``entry_page``: one entry, with its checklists
- ``addresses``: from where providers see our calls
- ``own_pages``: where an operator's own entry is written and removed · ``own_form``: its fields, of which
  ``providers.catalog.usual_form`` says what they mean
"""
