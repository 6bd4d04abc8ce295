"""What goes wrong before the server is asked, or in what it answered: leaves on the tree of `libs.client.errors`.

ClientError
    SignedOutError       nobody is signed in with this profile
    NoSuchNameError      no machine or account has this name, as far as the person may see
"""

from libs.client.errors import ClientError


class SignedOutError(ClientError):
    """There is no session to speak with."""


class NoSuchNameError(ClientError):
    """A name that nothing has."""
