"""Where plain passwords are opened."""

import ast

from tests.unit.house.tree import ROOT, python_files, tree_of

# A new line here is a new place that handles a plain password: give its reason, and have it read by a second person.
MAY_REVEAL = {
    "libs/wire/seal.py": "seals it",
    "libs/wire/settable.py": "looks for bytes that no host can set",
    "libs/store/mongo/client.py": "signs in to the store with the service's own password",
    "libs/store/mongo/setup.py": "gives a service its user in the store",
    "services/bundler/package.py": "writes the one plain copy of a token, into the zip that it admits",
    "services/bundler/tokens.py": "hashes a token: the store has nothing but that",
    "services/api/sessions/hashing.py": "hashes what a person signs in with",
    "services/api/guessing.py": "judges whether it would be guessed, and tells yes or no alone",
    "services/api/pages/spelling.py": "shows what a person asked to be revealed, whose browser has no scripts",
    "services/api/packages/service.py": "opens a package's tail, whose bytes a Secret carries",
    "libs/service/settings.py": "puts the service's own password into its broker's address",
    "libs/client/people.py": "sends what a person signs in with, in the body of one request",
    "libs/client/client.py": "sends what a person typed, in the body of one request",
    "libs/cli/ask.py": "parts a pipe's lines into a password and a code",
    "services/api/factors/codes.py": "compares a code of a second factor",
    "libs/cli/people.py": "reads the first-run code or the access token that a person typed",
    "libs/cli/change.py": "shows what a person asked to be revealed",
    "deploy/admin/app.py": "shows what the recovery key opened, to the operator who asked",
    "agent/proxy.py": "signs in to the proxy that agent.conf names",
    "agent/backends/linux_local.py": "feeds it to chpasswd on standard input",
    "agent/backends/comparison.py": "hashes it as the host does",
    "agent/backends/memory.py": "is the host, in tests",
}


def reveals(tree: ast.Module) -> bool:
    """Whether `Secret.reveal` is called: the only method of that name without an argument."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "reveal"
        and not (node.args or node.keywords)
        for node in ast.walk(tree)
    )


def test_plain_passwords_are_opened_in_listed_modules_only() -> None:
    """A password that a helpful log line or error text opened has leaked before anybody noticed the call."""
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in python_files("libs", "services", "agent", "deploy")
        if reveals(tree_of(path))
    }
    assert modules - MAY_REVEAL.keys() == set(), "opens a plain password without a reason in MAY_REVEAL"
    assert MAY_REVEAL.keys() - modules == set(), "is listed, and opens none any more"
