"""The catalogue: what is known of each provider, one ``<slug>.toml`` an entry, checked as a whole when it is read.

- ``loader``: reads them, and again when a file changes · ``additions``: adds one, from a file or from an issuer
- ``schema``: what an entry may say; its parts are ``methods`` (auth styles), ``calls`` (uses of a credential),
  ``answers`` (of the token endpoint), ``callback`` (the authorization response), ``scopes`` and ``fields``
- ``checks``: what must agree in it; further ``scope_checks``, ``callback_checks``, ``host_checks``, ``template_checks``
- ``resolve``: from an entry and its parameters to a target · ``template``: its texts · ``pointer``: places in an answer
"""
