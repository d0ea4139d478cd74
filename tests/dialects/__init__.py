"""The dialects of vendors: each entry of the catalogue lives its life at a stand-in that is strict about its own.

- ``*.toml``: the fixtures, a table for each slug, written from what vendors document by somebody who has not seen the
  entries · ``fixture``: their shape
- ``wire``: a network in memory · ``vendors``: the stand-ins, by kind of life · ``answers``: parts of what they say ·
  ``matching``: what was sent, compared with templates · ``keys``, ``certificates``: ours, the account's, a stranger's
- ``typing_in``: what is typed for an entry · ``bringing``, ``connecting``, ``life``: the steps of a life
- ``test_every_entry``: the lives of all entries · ``test_whole_lives``: some, with the database
- ``mutations``: what is wrong with an entry that was changed; all of them are ``tests.campaigns.mutations``
"""
