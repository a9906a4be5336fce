"""TSCBM: the SPaT blob that US signal controllers send by UDP."""
