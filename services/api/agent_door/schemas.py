"""What the agents' door answers beyond `libs.wire.agent_api`."""

from services.api.fields import View


class ObserveAnswer(View):
    stored: bool
