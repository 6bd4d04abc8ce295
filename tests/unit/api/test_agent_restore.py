"""The store was put back: what agents said before is asked again."""

from libs.store.epoch import EpochStore
from libs.wire.observations import SeenAccount
from tests.unit.api.test_agent_door import contact, observed
from tests.unit.api.world import NOW, World

ACCOUNTS = (SeenAccount(name="root", uid=0, gid=0),)


async def test_a_digest_counts_in_the_epoch_in_which_it_was_told(world: World) -> None:
    """It came into the copy by a write under way, without the observation, which nobody ever asked for again."""
    _, agent = await world.machine(await world.user("ben"))
    _, message = observed(agent, ACCOUNTS)
    await agent.post("/agent/v1/observe", message)
    assert not (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]
    await EpochStore(world.admin).begin(NOW // 1000)
    await world.gateway.notices.rebuild()
    for _ in range(2):
        assert (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]
    await agent.post("/agent/v1/observe", message)
    assert not (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]
