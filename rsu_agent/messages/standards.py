"""The names of the message sets, as settings and commands take them."""

from __future__ import annotations

SETS = ("csae53", "ydt3709", "etsi", "j2735")  # YD/T 3709 has the bits of T/CSAE 53-2020
REFUSED = {"csae53-2017": "T/CSAE 53-2017 has other bits than 53-2020 and is not read; name the version sent"}
