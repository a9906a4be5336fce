"""T/CSAE 53-2020 (= YD/T 3709-2020): schema, generated codec, mapper."""
