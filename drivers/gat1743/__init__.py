"""GA/T 1743-2020: signal controllers that publish colours, countdowns and step plans."""
