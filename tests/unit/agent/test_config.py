"""agent.conf as people's editors leave it."""

from pathlib import Path

import pytest

from agent.config import AgentConfig, ConfigError, check_config, load_config, parse_config

GOOD = "ServerName=gw.example.net\nUserName=ops\n"
PATH = Path("/etc/keyturn-agent/agent.conf")


def problems(data: bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_config(data, PATH)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_editors_write_is_read(encoding: str, end: str) -> None:
    text = f"# für Prüfung{end}  ServerName = GW.example.net {end}{end}ServerPort=443{end}UserName=juergen.ops\t{end}"
    config = parse_config(text.encode(encoding), PATH)
    assert config == AgentConfig(server_name="gw.example.net", user_name="juergen.ops", server_port=443)


def test_the_first_line_is_not_lost_behind_a_byte_order_mark() -> None:
    assert parse_config(b"\xef\xbb\xbf" + GOOD.encode(), PATH).server_name == "gw.example.net"
    assert parse_config(b"\xff\xfe" + GOOD.encode("utf-16-le"), PATH).server_name == "gw.example.net"
    assert parse_config(b"\xfe\xff" + GOOD.encode("utf-16-be"), PATH).server_name == "gw.example.net"


def test_the_defaults_are_the_documented_ones() -> None:
    config = parse_config(GOOD.encode(), PATH)
    assert (config.server_port, config.schedule_interval, config.log_level) == (7272, 60, "info")
    assert (config.proxy, config.trust_file, config.resource_name) == (None, None, None)
    assert parse_config(f"{GOOD}Proxy=\nTrustFile=\n".encode(), PATH) == config


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ServerPort=99999", ["line 3", "ServerPort='99999'", "1 to 65535"]),
        ("ServerPort=7272x", ["line 3", "'7272x'", "1 to 65535"]),
        ("ServerPort=", ["line 3", "no value", "1 to 65535"]),
        ("ServerPort=7272\u00a0", ["line 3", "U+00A0", "no-break space", "column 16"]),
        ("ResourceName=web\u200b01", ["line 3", "U+200B", "zero width space"]),
        ("ScheduleInterval=1", ["line 3", "5 to 86400"]),
        ("ScheduleInterval=60s", ["line 3", "'60s'"]),
        ("ServerNam=x", ["line 3", "'ServerNam'", "did you mean ServerName?"]),
        ("serverport=1", ["line 3", "did you mean ServerPort?"]),
        ("Quux=1", ["line 3", "the keys are ServerName, ServerPort"]),
        ("ServerName=other", ["line 3", "line 1 already"]),
        ("[agent]", ["line 3", "no equals sign"]),
        ("LogLevel=loud", ["line 3", "debug, info, warning, error"]),
        ("Proxy=squid:3128", ["line 3", "http://host:port"]),
        ("Proxy=https://squid:3128", ["line 3", "http://host:port"]),
        ("TrustFile=ca.pem", ["line 3", "from / on"]),
        ("TrustFile=/nonexistent.pem", ["line 3", "No such file"]),
        ("TrustFile=/etc/hostname", ["line 3", "no certificate"]),
        ("ResourceName=" + "x" * 254, ["line 3", "at most 253"]),
        ("ResourceName=web 01", ["line 3", "'web 01'", "letters, digits"]),
    ],
)
def test_a_wrong_line_is_named_with_what_would_be_right(line: str, says: list[str]) -> None:
    (sentence,) = problems(f"{GOOD}{line}\n".encode())
    assert sentence.startswith(str(PATH))
    for part in says:
        assert part in sentence


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("https://gw.example.net", "without https://"),
        ("gw.example.net:7272", "ServerPort"),
        ('"gw"', "quotation marks"),
        ("gw example", "letters, digits"),
        ("-gw", "letters, digits"),
        ("gw..net", "letters, digits"),
        ("300.1.1.1", "no IP address"),
        ("x" * 64, "letters, digits"),
    ],
)
def test_a_wrong_server_name_is_told_what_would_be_right(value: str, says: str) -> None:
    (sentence,) = problems(f"ServerName={value}\nUserName=ops\n".encode())
    assert says in sentence
    assert "line 1" in sentence


@pytest.mark.parametrize(("value", "name"), [("10.0.0.1", "10.0.0.1"), ("[FE80::1]", "fe80::1"), ("gw.", "gw")])
def test_addresses_are_server_names(value: str, name: str) -> None:
    assert parse_config(f"ServerName={value}\nUserName=ops\n".encode(), PATH).server_name == name


@pytest.mark.parametrize("name", ["Ops", "jürgen", "-ops", "x" * 65, "a b"])
def test_a_name_that_the_server_would_refuse_is_refused_here(name: str) -> None:
    (sentence,) = problems(f"ServerName=gw\nUserName={name}\n".encode())
    assert "line 2" in sentence
    assert "small letters, digits" in sentence


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(b"ServerPort=0\nUser=x\n")) == 4  # two lines, and two keys that are missing


def test_a_byte_that_is_no_text_is_named_by_line_and_column() -> None:
    (sentence,) = problems(GOOD.encode() + b"ResourceName=M\xfcller\n")
    assert "line 3" in sentence
    assert "0xfc at column 15" in sentence


def test_utf_16_without_its_mark_is_named() -> None:
    assert "UTF-16" in problems(GOOD.encode("utf-16-le"))[0]


@pytest.mark.parametrize("value", ["https://me:Canary-1@squid:3128", "http://me:Canary/Canary-1@squid:3128"])
def test_a_proxys_password_is_not_shown(value: str) -> None:
    (sentence,) = problems(f"{GOOD}Proxy={value}\n".encode())
    assert "Canary" not in sentence
    assert "%2F" in sentence


@pytest.mark.parametrize(
    ("value", "shown", "name", "password"),
    [
        ("http://squid:3128", "http://squid:3128", "", b""),
        ("http://me:Canary-1@squid:3128/", "http://squid:3128", "me", b"Canary-1"),
        (
            "http://dom%5Cme:p%40ss%3a%C3%A9@[2001:db8::1]:3128",
            "http://[2001:db8::1]:3128",
            "dom\\me",
            "p@ss:é".encode(),
        ),
    ],
)
def test_a_proxy_is_shown_without_its_sign_in(value: str, shown: str, name: str, password: bytes) -> None:
    proxy = parse_config(f"{GOOD}Proxy={value}\n".encode(), PATH).proxy
    assert proxy is not None
    assert (str(proxy), proxy.name, proxy.password.reveal()) == (shown, name, password)
    assert "Canary" not in repr(proxy)


def test_a_huge_file_is_refused() -> None:
    assert "65536 is the most" in problems(b"#" * 65_537)[0]


def test_files_are_checked_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "agent.conf"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    path.chmod(0o400)
    assert check_config(path) == []
    assert load_config(path).user_name == "ops"
    assert path.read_bytes() == GOOD.replace("\n", "\r\n").encode()
    (sentence,) = check_config(tmp_path / "none.conf")
    assert "cannot be read: No such file" in sentence
