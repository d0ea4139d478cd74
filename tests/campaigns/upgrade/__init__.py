"""An upgrade while everything runs: an earlier release and this one side by side, and what callers saw.

``python -m tests.campaigns.upgrade [--since REF] [--seconds 20] [--json]`` (``make upgrade``) takes the tree of ``REF``
out of git (without it: the newest tag, or else the commit before the newest migration), starts it on a database of its
own, migrates that with this tree's code, and goes over process by process and back again. Callers vend all the time, at
a strict provider that ends a grant at the first reuse of a refresh token. Counted are vends that failed, refreshes,
refresh tokens that were shown twice, and grants that were lost. It takes three minutes; both trees use this one's
packages.

- ``tree``: the earlier tree, and the processes of a tree · ``steps``: what runs in each step
"""
