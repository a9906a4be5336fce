"""Bytes out: schedule, guard, broadcast, summary, outbox, uplink."""
