"""From rows to a provider that can be asked: opened secrets, the target of a provider app, and what is switched off.

- ``secrets``: sealing and opening, each value bound to its place
- ``targets``: entry, strategy and target of a provider app
- ``switched_off``: what a kill switch or a pause says
"""
