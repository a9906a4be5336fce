"""Hikvision CSR-I, Beijing Chuansu and DS-TD10N speed radars on a serial line."""
