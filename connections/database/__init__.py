"""The database as the rooms use it: its clock, its locks, its transactions and its prepared statements.

- ``clock``: the one clock; ``locks``: every row lock, and their order
- ``pool``: short transactions, and the connection that is given back before HTTP
- ``prepared``: statements that are parsed once and go past the ORM
"""
