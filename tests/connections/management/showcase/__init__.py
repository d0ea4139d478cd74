"""The showcase is laid out whole (``lay_out``), and looked at whole: all of these have a part in it.

- ``names``, ``chance``, ``rows`` · ``ground`` · ``grants``, ``troubles`` · ``history``, ``visits``, ``noticed`` ·
  ``beside``
"""
