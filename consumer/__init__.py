"""Avviso: a bank's events in, the right SMS out, once."""

__version__ = "0.1.0"
