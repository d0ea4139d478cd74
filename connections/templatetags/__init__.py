"""The template tags of the admin: ``latchkey_admin``."""
