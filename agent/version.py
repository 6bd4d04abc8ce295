"""The agent's own version, which its package and its server show."""

VERSION = "0.1.0"
