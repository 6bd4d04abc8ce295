"""What a runtime is made of, in the words that scanners read: a CycloneDX list, the same for the same inputs.

The libraries are those of the agent's lock, by which the runtime is built; CPython and OpenSSL are asked of the
interpreter that was packed. The time of making and a random serial number, which the standard leaves open, are left
out or made from the content: they would make two builds of one release differ.
"""

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from agent.version import VERSION

FILE = "runtime/sbom.cdx.json"
_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def sbom(lock: Path, brings: Mapping[str, str]) -> bytes:
    """The list as JSON.

    Args:
        lock: The agent's pinned libraries.
        brings: Name and version of what is packed beside them.
    """
    pinned = dict(_PINNED.findall(lock.read_text("utf-8")))
    bom = Bom()
    agent = Component(name="keyturn-agent", version=VERSION, type=ComponentType.APPLICATION, bom_ref="keyturn-agent")
    bom.metadata.component = agent
    bom.components = [
        *(_component(name, version, f"pkg:pypi/{name}@{version}") for name, version in pinned.items()),
        *(_component(name, version, f"pkg:generic/{name}@{version}") for name, version in brings.items()),
    ]
    bom.register_dependency(agent, bom.components)
    said = json.loads(JsonV1Dot6(bom).output_as_string())
    del said["metadata"]["timestamp"], said["serialNumber"]
    whole = json.dumps(said, sort_keys=True, separators=(",", ":"))
    said["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, whole).urn
    return json.dumps(said, sort_keys=True, indent=1).encode() + b"\n"


def _component(name: str, version: str, purl: str) -> Component:
    found = PackageURL.from_string(purl)
    return Component(name=name, version=version, type=ComponentType.LIBRARY, purl=found, bom_ref=purl)
