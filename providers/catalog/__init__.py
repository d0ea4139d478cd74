"""The catalogue: one entry a provider, each in a file ``<slug>.toml``. The loader checks all entries together.

- ``loader``: reads the entries, and again when a file changes · ``compiled``: keeps what it read for the next start ·
  ``naming``: which entry a name means · ``additions``: adds an entry, from a file or from an issuer ·
  ``usual_form``: the form of the usual keys, and the document that it stands for · ``toml_text``: writes that document
- ``schema``: the shape of an entry; its parts are ``base_method``, ``methods``, ``typed_methods``, ``signed_methods``,
  ``device_method``, ``oauth1_method``, ``aws_sigv4_method``, ``mutual_tls_method``, ``exchange_method`` and
  ``password_method`` (styles), ``calls`` (requests), ``assertions`` (that we sign), ``answers`` (of the token
  endpoint), ``refresh_tokens`` (their lives), ``callback`` (the authorization response), ``scopes``, ``fields``,
  ``proxying`` (limits of calls) and ``pushes`` (what providers send by themselves)
- ``facts``: what an entry says about itself · ``checklist``: what to do before anybody can connect ·
  ``cautions``: what an operator should know of a style before using it
- ``checks``: what must agree within an entry, with ``about_checks``, ``scope_checks``, ``callback_checks``,
  ``host_checks``, ``pattern_checks``, ``push_checks``, ``resource_checks``, ``signing_checks`` and ``template_checks``
- ``mistakes``: what no entry can be made of, in words
- ``entry_schema``: the JSON Schema for editors, with ``descriptions`` and ``method_descriptions`` of every key
- ``resolve``: from an entry and its parameters to a target · ``own_hosts``: which hosts a connection names itself ·
  ``template``: templates · ``destinations``: where
  the secrets of an entry go · ``pointer``: JSON Pointers
"""
