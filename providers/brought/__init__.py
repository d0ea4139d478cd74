"""Brought: connections that another system has kept until now, read from its export. Pure: no database, no network.

A file is read in constant memory, however many rows it has; nothing is kept of a row once the next is asked for.

- ``files``: rows from the bytes of a CSV, JSON or JSON Lines file, whatever its charset; ``json_stream``: the objects
  of a large JSON document, one by one
- ``columns``: a connection from a row with our names of columns
- ``nango``: a connection from an object in the shape of Nango's API and database
- ``moments``: when a token ends, in the many ways in which exports and spreadsheets write that
- ``connection``: what both bring, and the fault of a row
"""
