"""The files by which Latchkey is deployed: the image, ``compose.yaml``, the chart."""
