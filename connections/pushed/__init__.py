"""Where providers send what they tell us by themselves: public, one address a provider app, without a login.

What comes there proves itself (``lifecycle.pushes``). An answer says no more than its sender has to know.

- ``urls``: the addresses · ``views``: translates a request, and the answer
"""
