"""The dialects of vendors: a stand-in for each, strict about its own, at which an entry lives its life.

A tool for those who write entries (``manage.py providers try``) and for the tests. No production code imports it.

- ``tables``: the fixtures, a table for each slug, written from what vendors document by somebody who has not seen the
  entries · ``fixture``: their shape
- ``wire``: a network in memory · ``vendors``: the stand-ins, by kind of life · ``answers``: parts of what they say ·
  ``matching``: what was sent, compared with templates · ``keys``, ``certificates``: ours, the account's, a stranger's
- ``typing_in``: what is typed for an entry · ``bringing``, ``connecting``, ``life``: the steps of a life
- ``trial``: a life that is written down · ``hints``: which keys it disagreed about · ``questions``: what to find out
  about a vendor
"""
