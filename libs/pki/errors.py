"""The errors of certificates, all permanent.

KeyturnError
  NotTrustedError      a certificate that does not count
  CsrInvalidError      a certificate request that nobody will sign
  NameInvalidError     a name or address that no certificate can carry
"""

from libs.domain.errors import KeyturnError


class NotTrustedError(KeyturnError):
    """Of another authority, for another use, altered, or outside its dates."""


class CsrInvalidError(KeyturnError):
    """Unreadable, not signed by its own key, of another kind of key, or without the extension it needs."""


class NameInvalidError(KeyturnError):
    """Neither a DNS name nor an IP address."""
