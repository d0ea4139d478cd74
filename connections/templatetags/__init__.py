"""The template tags of our pages: ``latchkey_admin`` for the admin, ``icons`` for whatever shows a provider."""
