"""What is written down: audit rows, and the events that the operator's services read. Never a secret.

- ``audit``: who asked for what, and what was decided; ``events``: what has changed, in the transaction that changed it
- ``flood``: how often one stranger is worth a row
"""
