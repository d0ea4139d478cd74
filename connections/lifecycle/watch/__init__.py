"""Watch: suspicious use of an API client is noticed, told, and answered as far as an operator has allowed.

Promise: nothing of it is on a vend's path. A task reads the audit trail on from where it stopped, a bounded part at a
time, and keeps a small row of what is usual of each client. Only what a valid key or token did counts, so nobody
without one causes a finding. A rule fires once for one cause, with its evidence. What was done by itself is undone when
an operator settles the finding. In: the audit trail. Out: findings and events. Changes: findings, what is usual of each
client; kill switches and restrictions of API clients; canaries.

- ``look``: the use case, for the beat · ``use``: what a part of the trail says of each client
- ``lay``: makes canaries, and keeps them alive · ``canaries``: who has touched one
- ``counted``: how many different connections a client touches on a day
- ``rules``: what is suspicious; pure · ``usual``: what a client is known for
- ``findings``: begins findings, and goes on with them · ``ladder``: what is done about them
- ``settle``: an operator's word · ``settings``: how the rules are set
"""
