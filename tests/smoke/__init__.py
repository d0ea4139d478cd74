"""The smoke run: the main job on the whole stack, as two people and the operator's backend live it.

``python -m tests.smoke`` (``make smoke``) runs it; its result is a line of JSON and the exit code.

- ``__main__``: starts the stack, times the steps, checks that nothing is left behind
- ``steps``: what ann and ben do, and what Latchkey does by itself
- ``clients``: the generated Python client, as a product uses it
- ``styles``: further auth styles, from the operators' command to a call with what is vended
- ``visitor``: a user of the demo customer app
- ``browser``: a browser without a screen; the tests' people use it too
"""
