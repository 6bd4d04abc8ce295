"""Every body of people's interface is described with an example, and each example is one that is taken."""

from collections.abc import Iterator

from services.api.fields import Body
from tests.unit.api.world import World


def bodies(kind: type[Body] = Body) -> Iterator[type[Body]]:
    for each in kind.__subclasses__():
        yield each
        yield from bodies(each)


def test_each_example_is_taken_as_it_stands() -> None:
    """Who copies the example of a description learns from it; one that is refused teaches the wrong thing."""
    found = [each for each in bodies() if each.__module__.startswith("services.")]
    assert len(found) > 15
    for each in found:
        extra = each.model_config.get("json_schema_extra")
        assert isinstance(extra, dict), each
        examples = extra["examples"]
        assert isinstance(examples, list)
        for shown in examples:
            each.model_validate(shown)


def test_each_change_with_a_body_is_described_with_one(world: World) -> None:
    told = world.gateway.api.openapi()
    assert told["openapi"].startswith("3.1")
    seen = 0
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation and path.startswith("/v1/"):
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                names = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema]) if "$ref" in each]
                assert names, (method, path)
                assert all(told["components"]["schemas"][name]["examples"] for name in names), (method, path)
                seen += 1
    assert seen > 15
