"""Modules that have no test file of their own here:

- ``schema``, ``fields``, ``calls``, ``answers``, ``host_checks``, ``template_checks``, ``scope_checks``:
  ``test_checks.py``, ``test_loader.py``
- ``pushes``: ``test_push_checks.py``, ``tests/providers/pushes/test_read.py``
- ``proxying``: ``tests/connections/lifecycle/proxy/test_provider.py``
- ``assertions``: ``tests/providers/oauth/test_client_assertion.py``
- ``refresh_tokens``: ``tests/connections/lifecycle/credentials/test_lifetime.py``
- ``base_method``: ``test_methods.py`` · ``signed_methods``: ``test_signing_checks.py``
- ``about_checks``: ``test_facts.py`` · ``own_hosts``: ``tests/connections/access/test_parties.py``
- ``oauth1_method``, ``aws_sigv4_method``, ``mutual_tls_method``: ``tests/providers/strategies/test_oauth1.py``,
  ``tests/providers/strategies/test_aws_sigv4.py``, ``tests/providers/strategies/test_mutual_tls.py``
- ``callback_checks``: ``test_callback.py`` · ``descriptions``, ``method_descriptions``: ``test_entry_schema.py``
"""
