"""Nothing of a runtime counts that the release key did not sign."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.wire.release import RUNTIME_MANIFEST
from services.bundler.runtime import RuntimeNotTrustedError, check_runtime
from tests.unit.bundler.runtimes import FILES, manifest_of, signed_runtime, zipped

RELEASE = Ed25519PrivateKey.generate()
GOOD = signed_runtime(RELEASE)
PROGRAM = "keyturn-agent/keyturn-agent"


def test_a_signed_runtime() -> None:
    found = check_runtime(GOOD, RELEASE.public_key())
    assert found.hash == hashlib.sha256(GOOD).hexdigest()
    assert {file.path for file in found.files} == {*FILES, RUNTIME_MANIFEST}
    assert found.manifest.release == "0.1.0"


def test_either_key_of_a_release_that_is_rolled_over() -> None:
    other = Ed25519PrivateKey.generate().public_key()
    for keys in ((other, RELEASE.public_key()), (RELEASE.public_key(), other)):
        assert check_runtime(GOOD, *keys).manifest.release == "0.1.0"


def test_another_release_key() -> None:
    with pytest.raises(RuntimeNotTrustedError, match="release key"):
        check_runtime(GOOD, Ed25519PrivateKey.generate().public_key())


def test_a_changed_program() -> None:
    changed = {**FILES, PROGRAM: (0o755, b"\x7fELF other")}
    with pytest.raises(RuntimeNotTrustedError):
        check_runtime(signed_runtime(RELEASE, changed, manifest_of(FILES)), RELEASE.public_key())


def test_a_changed_byte_of_the_same_length() -> None:
    mode, raw = FILES[PROGRAM]
    changed = {**FILES, PROGRAM: (mode, b"\0" + raw[1:])}
    with pytest.raises(RuntimeNotTrustedError, match="as it was signed"):
        check_runtime(signed_runtime(RELEASE, changed, manifest_of(FILES)), RELEASE.public_key())


def test_a_changed_mode() -> None:
    changed = {**FILES, PROGRAM: (0o644, FILES[PROGRAM][1])}
    with pytest.raises(RuntimeNotTrustedError, match="as it was signed"):
        check_runtime(signed_runtime(RELEASE, changed, manifest_of(FILES)), RELEASE.public_key())


def test_a_file_more_and_a_file_less() -> None:
    more = {**FILES, "keyturn-agent/more.so": (0o644, b"")}
    for files, listed in ((more, FILES), (FILES, more)):
        with pytest.raises(RuntimeNotTrustedError, match="those that were signed"):
            check_runtime(signed_runtime(RELEASE, files, manifest_of(listed)), RELEASE.public_key())


def test_no_list_at_all() -> None:
    with pytest.raises(RuntimeNotTrustedError, match=RUNTIME_MANIFEST):
        check_runtime(zipped(FILES), RELEASE.public_key())
    with pytest.raises(RuntimeNotTrustedError, match="another shape"):
        check_runtime(zipped({**FILES, RUNTIME_MANIFEST: (0o644, b"{}")}), RELEASE.public_key())


@settings(max_examples=150)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_damaged_byte_is_refused_or_changes_no_file(place: int, flip: int) -> None:
    raw = bytearray(GOOD)
    raw[place] ^= flip
    try:
        found = check_runtime(bytes(raw), RELEASE.public_key())
    except RuntimeNotTrustedError:
        return
    assert found.manifest.files == manifest_of(FILES).files
