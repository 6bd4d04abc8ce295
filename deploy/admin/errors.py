"""What stops an operator's command: one sentence, and nothing half-made behind it."""

from libs.domain.errors import KeyturnError


class AdminError(KeyturnError):
    """The command cannot be carried out as asked. Permanent; the sentence says what would be right."""
