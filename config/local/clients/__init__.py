"""The clients' generated halves: what the OpenAPI document says, in Python and in TypeScript. ``make clients`` runs it.

A document in, texts out; only ``__main__`` writes files. The other halves (HTTP, vend, proxy, auth, webhooks) are
written by hand beside them, in ``static/clients``, and know no operation by name but the vends and the report.

- ``__main__``: writes the files, or says with ``--check`` which are out of date
- ``reading``: from the document to operations, shapes and problems · ``types``: the types of members
- ``python``, ``typescript``: from those to a module each
"""
