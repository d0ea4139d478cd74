"""Python processes of a stack that are forked from one which has imported the product already.

To import it is most of what a process of a stack costs, and a test that is about what processes do has ten of them
started. So the processes of one environment are forked from a *parent* that has imported what they need and nothing
else has happened in: no thread, no connection. Each is a process like any other (its own group, pipes and signals, a
child of this one), runs the same command line, and may be killed. What a start itself does is tested without this.

- ``start``: ``Warm``, called like ``subprocess.Popen``
- ``parent``: the process that imports and forks
"""
