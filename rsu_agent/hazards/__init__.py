"""Truth becomes danger: one file a rule. Pure."""
