"""How a tenant looks to its end users, and how the operator looks where a tenant says nothing.

A brand is text, numbers and pictures of ours, never HTML or CSS of a tenant: colours are #rrggbb, fonts and texts come
from closed lists, and every picture is drawn anew. All of it is pure but ``look``, which reads the two rows.

- ``profile``: what a brand is changed to · ``form``: the fields in which people type that
- ``look``: the brand of a page, tenant over operator over our own · ``palette``: its colours, light and dark
- ``colors``: contrast (WCAG 2.2), and the nearest colour that has enough of it
- ``fonts``: the closed list of fonts · ``texts``: the closed list of texts, and what a text may hold
- ``pictures``: logos and favicons, drawn anew · ``svg``: the part of SVG that is kept
"""
