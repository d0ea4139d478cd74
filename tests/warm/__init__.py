"""Python processes that are forked from one which has imported the product already.

To import it is most of what a process costs, and tests start hundreds of them. So they are forked from a *parent* that
has imported what they need and in which nothing else has happened: no thread, no connection. Each is a process like any
other (its own group, environment, pipes and signals, a child of whoever started it), runs the same command line, and
may be killed. What a start itself does is tested without this.

- ``start``: ``Warm``, called like ``subprocess.Popen``
- ``parent``: the process that imports and forks
- ``imports``: what it imports
"""
