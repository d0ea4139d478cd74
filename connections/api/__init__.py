"""The internal JSON API, ``/api/v1/``: for the operator's own services and agents."""
