"""The fusion benchmark: simulated traffic, simulated sensors, our tracker and others, judged by referees."""
