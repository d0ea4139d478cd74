"""The clients of ``static/clients`` against the real application on a real port, and the sandbox behind it.

- ``serving``: the web application, served to other libraries than the tests' own client
"""
