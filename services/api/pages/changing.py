"""*Change Password*, *Verify Password*, *State Password* and *Cancel*: a form each, then the account's own page."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.wire.ids import AccountId, TaskId
from services.api.pages.asking import AccountForms
from services.api.pages.rendering import go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.tasks.asking import TaskAsking


def router(forms: AccountForms, asking: TaskAsking, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter()

    @routes.get("/accounts/{account}/change")
    async def change(visitor: Annotated[Visitor, Depends(see)], account: AccountId) -> Response:
        return await forms.opened("change.html", visitor, account)

    @routes.post("/accounts/{account}/change")
    async def reset(posted: Annotated[Posted, Depends(post)], account: AccountId) -> Response:
        return await forms.reset(posted, account)

    @routes.get("/accounts/{account}/adopt")
    async def state(visitor: Annotated[Visitor, Depends(see)], account: AccountId) -> Response:
        return await forms.opened("adopt.html", visitor, account)

    @routes.post("/accounts/{account}/adopt")
    async def adopt(posted: Annotated[Posted, Depends(post)], account: AccountId) -> Response:
        return await forms.adopt(posted, account)

    @routes.get("/accounts/{account}/verify")
    async def confirm(visitor: Annotated[Visitor, Depends(see)], account: AccountId) -> Response:
        return await forms.opened("verify.html", visitor, account)

    @routes.post("/accounts/{account}/verify")
    async def verify(posted: Annotated[Posted, Depends(post)], account: AccountId) -> Response:
        return await forms.verify(posted, account)

    @routes.post("/tasks/{task}/cancel")
    async def cancel(posted: Annotated[Posted, Depends(post)], task: TaskId) -> Response:
        taken_back = await asking.cancel(posted.visitor.caller, task)
        return go(f"/accounts/{taken_back.account.id}")

    return routes
