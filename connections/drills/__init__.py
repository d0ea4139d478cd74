"""Drills: the faults that Latchkey promises to survive, played against the sandbox on a throw-away database.

``matrix`` names the scenarios; each is a small function that scripts one fault, calls the product's own lifecycle
functions, and judges by the sandbox's request log and the database. ``ground`` is what they stand on. The
installation's own database is connected to for CREATE and DROP DATABASE alone. Of its Redis only what holds a provider
app back is used, under ids of the drills' own. Not in here: what takes thousands of connections.
"""
