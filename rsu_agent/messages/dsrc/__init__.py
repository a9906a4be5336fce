"""SPAT and MAP of ISO/TS 19091, shared by the sets of Europe and America."""
