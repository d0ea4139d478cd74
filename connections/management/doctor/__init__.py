"""Doctor: looks at a whole installation, and says what is wrong with it and what to do. Changes nothing.

- ``examine``: everything, one area after the other
- ``findings``: what is found, and how bad it is
- ``installation``: the settings, addresses, folders and packages of the machine on which it runs
- ``storage``: the database, the broker, the clocks, and whether the background works
- ``keys``: the keys to what is stored, and who has wrapped them
- ``rights``: what the role of these processes may do in the database
- ``constraints``: whether the database keeps everything that the tables promise
- ``trail``: whether the audit trail is whole
- ``parties``: the catalogue, provider apps and redirect URIs, and how calls and mails leave the house
"""
