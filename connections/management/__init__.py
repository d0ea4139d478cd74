"""The operators' commands, for the shell and for programs: ``manage.py tenants``, ``provider_apps``, ``connections``, …

- ``commands``: one command a file; each makes one lifecycle call
- ``declarations``: what a file declares, for ``manage.py apply``
- ``doctor``: what is wrong with an installation
- ``backups``: the whole database in one encrypted file, and back
- ``showcase``: a made-up installation to look at
- ``audit_export``: the audit trail for other systems
- ``forecasts``: what will end
- ``trials``: rehearses an entry · ``imports``: connections from another system ·
  ``bundles``: tenants that leave and arrive · ``operator_command``: their base ·
  ``output``: tables for people, JSON for programs
"""
