"""Keys: which keys open what is stored, and how a newer key takes over from an older one while everything runs.

Promise: what is stored opens at every moment, by the older key or by the newer one, whatever is killed. How far a
change has come is in the rows themselves, so the same command goes on where it was. A key is called useless only once
nothing is stored under it. Nothing is changed under a key before every process has it, and no process drops one that
something needs. Comes in: an operator's command. Goes out: counts, and how far it is; never key material. Changes: the
ciphertext of sealed columns, data keys and their wrapping.

- ``columns``: every column that ``FERNET_KEYS`` encrypts, row by row
- ``uses``: which key opens how much, and since when
- ``rewrap``: brings columns and data keys under the first keys of their lists
- ``rotate``: gives owners new data keys, and seals under them what earlier ones have sealed
- ``swap``: replaces stored values that are still what was read
- ``agreement``: whether all processes follow the same lists of keys
- ``retire``: what still needs a key · ``leaving``: what keeps processes from dropping one that is gone from its file
"""
