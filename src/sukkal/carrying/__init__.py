"""Carrying a whole store into another one, or into a file and back.

It goes as parcels: ``leaving`` makes them of a source, ``arriving`` takes them into a target. Between the two may be a
file (``file``), and whoever died in between goes on behind what has arrived.
"""

__all__: list[str] = []
