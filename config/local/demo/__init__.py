"""The demo: the whole of Latchkey with data to look at and a customer's product that uses it.

Promises: every start may lay out the data again, and keeps what people have changed since; the stack is ready when
``start`` returns.

- ``stack``: databases, migrations, demo data and processes in their order; the tests and the smoke run use it too
- ``seed``: a command that lays out the demo's data, run inside the stack
- ``demo_data``: an operator, the tenant acme, the sandbox's provider apps, the customer app's key
- ``customer_app``: a customer's product, made to be copied; it knows Latchkey over HTTP alone

Imports ``services`` and ``supervisor``.
"""
