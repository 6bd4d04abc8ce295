"""What a runtime is made of is listed, and twice the same."""

import json

from agent.packaging.linux.interpreter import brings
from agent.packaging.linux.sbom import sbom
from tests.unit.house.tree import ROOT

LOCK = ROOT / "requirements/agent.txt"


def test_the_list_is_a_function_of_what_is_in_it() -> None:
    one, same, other = sbom(LOCK, brings()), sbom(LOCK, brings()), sbom(LOCK, {"cpython": "3.99"})
    assert one == same
    said, elsewhere = json.loads(one), json.loads(other)
    assert said["serialNumber"] != elsewhere["serialNumber"]
    assert "timestamp" not in said["metadata"]
    parts = {each["purl"] for each in said["components"]}
    assert f"pkg:generic/cpython@{brings()['cpython']}" in parts
    assert any(each.startswith("pkg:pypi/cryptography@") for each in parts)
    (of_the_agent,) = [each for each in said["dependencies"] if each["ref"] == "keyturn-agent"]
    assert set(of_the_agent["dependsOn"]) == {each["bom-ref"] for each in said["components"]}
