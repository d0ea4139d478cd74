"""Steer: what an operator asks for, with an audit row that says who.

Promise: what is switched off stops with the next vend, and is as before when it is switched on again; an act on many is
done to each of them once. In: an operator's or an API client's word. Out: what came of it, in a sentence. Changes: the
switches of tenants, provider apps, API clients and connections; jobs and their rows; what is the operator's own of a
connection; all else by the use cases of other rooms.

- ``on_demand``: refresh, probe, disconnect or read a kept answer now; ``switches``: kill switches and pauses
- ``bulk``: one act on many connections, in the background · ``orderer``: whether who ordered it may do it still ·
  ``export``: what such a job has noted of them
- ``trial``: a real consent with a provider app, by an operator
- ``rebind``: lets credentials follow a provider that has moved; ``describe``: what is the operator's own
- ``outlook``: what will happen to a connection next, in words
- ``outbound_addresses``: from which addresses providers see our calls
"""
