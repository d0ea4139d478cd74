"""Child processes and the folder that they share: started in groups, restarted, and stopped even after a kill.

Promises: what was started is stopped in order, by the watchdog if the supervisor was killed; one stack runs in a folder
at a time; what the folder keeps (keys, passwords, ports) only its owner can read.

- ``processes``: run children, restart what crashes, collect their output
- ``watchdog``: a process that outlives a killed supervisor and stops its children; standard library only
- ``state``: the state folder with its records and its lock; ``LocalStackError``, the failure that people are shown
- ``environment``: the settings of the processes: generated secrets, addresses, intervals
- ``attach``: the settings of the running stack, for commands that are typed beside it

Imports nothing else of ``config.local``.
"""
