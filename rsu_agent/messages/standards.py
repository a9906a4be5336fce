"""The names of the message sets, as settings and commands take them."""

from __future__ import annotations

SETS = ("csae53", "ydt3709", "etsi", "j2735")  # YD/T 3709 has the bits of T/CSAE 53-2020
YEAR = "-2020"  # China's are named with it in the site file: radio.standard
REFUSED = {"csae53-2017": "T/CSAE 53-2017 has other bits than 53-2020 and is not read; name the version sent"}


def set_of(standard: str) -> str:
    """The set's name of SETS for what a site file calls its standard."""
    return standard.removesuffix(YEAR)
