"""Story 3: the authority of the server's certificate is rolled over, and back from each phase; the operator brings a
certificate of his own, and takes it back. One agent is off for all of it, and meets a server that it cannot trust.
"""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.transport import wall_clock
from deploy.admin.kinds import Kind
from deploy.local.errors import StartError
from libs.client.client import Client
from libs.pki.check import issued_by, load_authorities
from libs.pki.issue import Use, issue_server, make_authority
from tests.e2e.identity.rolling import follows, keyturn_server, restart, restart_agent, sets, steps
from tests.e2e.site import OLD, PASSWORD, PERSON, Site, says_again, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

SERVING = ("bundler", "gateway")


def served(site: Site) -> x509.Certificate:
    """The certificate that the gateway shows."""
    host, _, port = site.server.gateway_url.removeprefix("https://").rpartition(":")
    return x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode())


def authorities(site: Site) -> tuple[x509.Certificate, ...]:
    return load_authorities(site.server.ca_file)


def shows(site: Site, authority: x509.Certificate) -> None:
    """The gateway's certificate is of this authority, at the latest a minute after its start."""
    until(lambda: issued_by(served(site), authority) or None, "the certificate", 90)


def person_trusts(site: Site, authority: Path) -> None:
    """The person signs in again, with the authority that she has by now."""
    site.client.close()
    site.client = Client(site.server.gateway_url, authority=authority, again=says_again)
    site.client.sign_in(PERSON, PASSWORD)


def sleeper(site: Site, name: str) -> Host:
    """A host that is installed, seen, and switched off."""
    host = site.lab.host(name)
    host.boot()
    host.add_user("sleeper", OLD)
    site.install(host)
    until(lambda: site.find("sleeper", name), "its account")
    host.run(["systemctl", "stop", "keyturn-agent.service"])
    return host


def wakes(site: Site, host: Host) -> None:
    """It comes back, follows, and does what waited for it."""
    account = site.find("sleeper", host.name)
    assert account is not None
    task = site.reset(account, "After-the-long-sleep-1")
    host.run(["systemctl", "start", "keyturn-agent.service"])
    assert site.ends(task).state == "done"
    follows(site, host)


def test_forth_and_back_from_each_phase_and_an_agent_that_slept_through_it(rolled: Site) -> None:
    account, host = rolled.add_account("served"), sleeper(rolled, "dmz-off-02")
    try:
        (old,) = authorities(rolled)
        steps(rolled, Kind.SERVERS, "announce")
        follows(rolled)
        steps(rolled, Kind.SERVERS, "back")  # from announced
        follows(rolled)
        assert authorities(rolled) == (old,)

        steps(rolled, Kind.SERVERS, "announce")
        person_trusts(rolled, rolled.server.ca_file)
        steps(rolled, Kind.SERVERS, "use")  # and the agent may not have followed yet
        new = authorities(rolled)[0]
        restart(rolled, *SERVING)
        shows(rolled, new)
        sets(rolled, account, "In-use-1")
        follows(rolled)
        steps(rolled, Kind.SERVERS, "back")  # from in use
        restart(rolled, *SERVING)
        shows(rolled, old)
        sets(rolled, account, "Back-in-the-middle-2")

        steps(rolled, Kind.SERVERS, "use")
        with pytest.raises(StartError, match="restart the bundler, then the gateways"):
            steps(rolled, Kind.SERVERS, "retire")
        restart(rolled, *SERVING)
        shows(rolled, new)
        steps(rolled, Kind.SERVERS, "retire")
        restart(rolled, *SERVING)
        follows(rolled)
        sets(rolled, account, "Retired-3")
        steps(rolled, Kind.SERVERS, "back")  # from retired
        restart(rolled, *SERVING)
        shows(rolled, old)
        sets(rolled, account, "Back-from-retired-4")

        steps(rolled, Kind.SERVERS, "use")
        restart(rolled, *SERVING)
        shows(rolled, new)
        steps(rolled, Kind.SERVERS, "retire", "end")
        restart(rolled, *SERVING)
        sets(rolled, account, "At-the-end-5")
        wakes(rolled, host)  # its package knows an authority that nobody has any more
        restart_agent(rolled)  # and what it follows outlives its process
        sets(rolled, account, "At-the-end-6")
    finally:
        host.down()


def own_certificate(site: Site) -> tuple[Path, Path, Path]:
    """The company's authority, and its certificate for this server with its key."""
    names = site.server.process("gateway").settings["KEYTURN_NAMES"].split(",")
    company, now = make_authority(Use.SERVERS, now=wall_clock()), wall_clock()
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256()).public_bytes(Encoding.DER)
    files = (
        (site.folder / "company.pem", company.certificate.public_bytes(Encoding.PEM)),
        (site.folder / "own.pem", issue_server(csr, names, company, now=now, days=30)),
        (site.folder / "own.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
    )
    for path, content in files:
        path.write_bytes(content)
    return files[0][0], files[1][0], files[2][0]


def test_an_operators_own_certificate_and_the_way_back(rolled: Site) -> None:
    account, host = rolled.add_account("own-served"), sleeper(rolled, "dmz-off-03")
    gateway = rolled.server.process("gateway")
    ours = authorities(rolled)[0]
    company, certificate, key = own_certificate(rolled)
    both = rolled.folder / "both.pem"
    both.write_bytes(rolled.server.ca_file.read_bytes() + company.read_bytes())
    person_trusts(rolled, both)
    keys = str(rolled.server.keys)
    try:
        keyturn_server(rolled, "own-authority", "trust", str(company), "--keys", keys)
        follows(rolled)
        gateway.settings |= {"KEYTURN_TLS_CERTIFICATE": str(certificate), "KEYTURN_TLS_KEY": str(rolled.folder / "no")}
        with pytest.raises(StartError):
            gateway.restart()
        gateway.settings |= {"KEYTURN_TLS_KEY": str(key)}
        gateway.restart()
        assert not issued_by(served(rolled), ours)
        sets(rolled, account, "By-the-company-1")
        wakes(rolled, host)
        for name in ("KEYTURN_TLS_CERTIFICATE", "KEYTURN_TLS_KEY"):
            del gateway.settings[name]
        gateway.restart()
        assert issued_by(served(rolled), ours)
        sets(rolled, account, "By-ourselves-2")
        keyturn_server(rolled, "own-authority", "distrust", str(company), "--keys", keys)
        follows(rolled)
        sets(rolled, account, "By-ourselves-3")
    finally:
        host.down()
