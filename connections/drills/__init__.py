"""Drills: the faults that Latchkey promises to survive, played against the sandbox on a throw-away database.

``matrix`` is the one table of them: a name, what is done, what must hold, and the function that plays it. Operators
play it with ``manage.py drill``, ``tests/faults`` plays each row as a test, and ``tests/campaigns/faults`` repeats them
thousands of times at random instants.

- The faults: ``faults`` (what the provider may answer, as data), ``phases`` (where a process may die or stand still).
- What must hold afterwards: ``oracles``.
- The scenarios: ``answers``, ``reach``, ``losses``, ``together``, ``storage``, ``keys``. Each scripts one fault, calls
  the product's own lifecycle functions, and judges by the sandbox's request log and the database.
- What they stand on: ``ground``, ``grants``, ``throwaway`` (the database), ``process`` (to be killed).

The drills connect to the installation's own database only for CREATE and DROP DATABASE. In its Redis they use only the
keys that hold a provider app back, under ids of their own. Faults that take thousands of connections are not in here.
"""
