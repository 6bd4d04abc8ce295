"""The bell: what the signed-in person has triggered."""

from pydantic import Field

from services.api.fields import View
from services.api.tasks.schemas import TaskView


class NotificationsView(View):
    resets: int = Field(description="Reset actions that you have triggered; counted up to 10000.")
    verifies: int = Field(description="Verify and adopt actions that you have triggered; counted up to 10000.")
    waiting: int = Field(description="Those that still wait for their agents.")
    items: tuple[TaskView, ...] = Field(description="Newest first.")
