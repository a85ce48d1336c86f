"""Guidance: from a law to that law given a label, and past it."""
