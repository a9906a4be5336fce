"""GB/T 20999-2017 signal controllers over a serial line."""
