"""Drills: the faults that Latchkey promises to survive, played against the sandbox on a throw-away database.

``matrix`` names the scenarios; each is a small function that scripts one fault, calls the product's own lifecycle
functions, and judges by the sandbox's request log and the database. ``ground`` is what they stand on. The
installation's own database is connected to for CREATE and DROP DATABASE alone. Of its Redis only what holds a provider
app back is used, under ids of the drills' own. Not in here: what takes thousands of connections.

- ``matrix``: the scenarios, in words for operators · ``ground``: what they stand on · ``oracles``: what must hold
- ``answers``, ``losses``, ``reach``, ``storage``, ``keys``: the scenarios, by what fails
- ``faults``: what a provider may answer · ``phases``: where in a refresh a process may die
- ``process``: a refresh in a process of its own · ``grants``: grants that nobody consented to
- ``throwaway``: the database
"""
