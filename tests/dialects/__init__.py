"""Each entry of the catalogue lives its life at the stand-in of its vendor's dialect (``providers.dialects``).

- ``test_every_entry``: the lives of all entries · ``test_whole_lives``: some, with the database
- ``mutations``: what is wrong with an entry that was changed; all of them are ``tests.campaigns.mutations``
"""
