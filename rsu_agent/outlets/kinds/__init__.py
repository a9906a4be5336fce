"""Kinds of records as data, a file a subject; `outlets.summary_kinds` is the whole table."""
