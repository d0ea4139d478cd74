"""What providers may fetch about our registrations: public, without a login, and cacheable.

An address of an app that does not exist answers like one of an app that has nothing to show.

- ``urls``: the addresses · ``keys``: the public halves of an app's key pairs
- ``clients``: the documents by which authorization servers know our clients
"""
