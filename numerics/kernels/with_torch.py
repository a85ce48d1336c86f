"""Stub."""

from .reference import combine, normal

__all__ = ["combine", "normal"]
