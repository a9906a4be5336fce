"""Targets as JSON datagrams, their fields named in the site file: all-in-one radar-video units."""
