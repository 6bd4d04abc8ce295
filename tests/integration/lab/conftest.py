"""Tests of the lab itself boot real hosts."""

from tests.lab.fixtures import lab, lab_host

__all__ = ["lab", "lab_host"]
