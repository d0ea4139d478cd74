"""The catalogue: one entry a provider, each in a file ``<slug>.toml``. The loader checks all entries together.

- ``loader``: reads the entries, and again when a file changes · ``additions``: adds one, from a file or from an issuer
- ``schema``: the shape of an entry; its parts are ``methods``, ``typed_methods``, ``device_method`` and
  ``password_method`` (styles), ``calls`` (requests), ``assertions`` (that we sign), ``answers`` (of the token
  endpoint), ``callback`` (the authorization response), ``scopes`` and ``fields``
- ``checks``: what must agree within an entry, with ``scope_checks``, ``callback_checks``, ``host_checks`` and
  ``template_checks`` · ``cautions``: what an operator should know of a style before using it
- ``entry_schema``: the JSON Schema for editors, with ``descriptions`` and ``method_descriptions`` of every key
- ``resolve``: from an entry and its parameters to a target · ``template``: templates · ``pointer``: JSON Pointers
"""
