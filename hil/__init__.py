"""The rig: virtual devices with codecs of their own, worlds, faults, scenarios, scorer."""
