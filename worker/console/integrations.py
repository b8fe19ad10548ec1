"""Pages about integrations: the list, one of them with its log and runs, and why something is as it is."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from adapters.mongodb.listing import Sought
from events.integration import Status
from events.journal import Result, Which
from worker.console.asking import number, word
from worker.console.guarding import refusal
from worker.explaining.hindering import hindrance
from worker.explaining.question import asked

if TYPE_CHECKING:
    from starlette.responses import Response

    from worker.console.guarding import Visit

_PAGE: Final = 50
_RUNS: Final = 10
_LOG_PAGE: Final = 50


async def listed(visit: Visit) -> Response:
    """Show integrations, page by page."""
    request, office = visit.request, visit.office
    status = word(request, "status")
    sought = Sought(
        word(request, "name"),
        number(request, "tenant"),
        number(request, "user"),
        Status(status) if status in set(Status) else None,
    )
    found = await office.listing.page(sought, word(request, "after"), _PAGE)
    loads = await office.listing.loads([one.id for one in found])
    asked_for = {"name": sought.name, "tenant": sought.tenant_id, "user": sought.user_id, "status": sought.status}
    given = {name: str(value) for name, value in asked_for.items() if value not in {"", None}}
    more = urlencode(given | {"after": found[-1].id}) if len(found) == _PAGE else ""
    return visit.shown(
        "integrations", found=found, loads=loads, given=given, more=more, statuses=list(Status), first=urlencode(given)
    )


async def one(visit: Visit) -> Response:
    """Show one integration: how it is, what it does, what it did."""
    office, id_ = visit.office, visit.request.path_params["id"]
    integration = await office.overview.get(id_)
    if integration is None:
        return refusal(HTTPStatus.NOT_FOUND, f"There is no integration {id_}.")
    result = word(visit.request, "result")
    which = Which(integration_id=id_, result=Result(result) if result in set(Result) else None)
    after = word(visit.request, "after", 1024)
    mark = await office.journal.mark(after) if after else None
    entries = await office.journal.page(which, mark, _LOG_PAGE)
    return visit.shown(
        "integration",
        one=integration,
        hindered=hindrance(integration, office.clock.now()),
        states=await office.overview.link_states(id_),
        runs=await office.runs.page(id_, _RUNS),
        entries=entries,
        more=urlencode({"result": result, "after": entries[-1].id}) if len(entries) == _LOG_PAGE else "",
        result=result,
        results=list(Result),
    )


async def explained(visit: Visit) -> Response:
    """Say why an item or an event is as it is."""
    request = visit.request
    about, integration = word(request, "about", 1024), word(request, "integration")
    tenant, live = number(request, "tenant"), bool(word(request, "live"))
    given = {"about": about, "integration": integration, "tenant": tenant, "live": live}
    if not about:
        return visit.shown("explain", given=given, answer=None)
    answer = await visit.office.explainer(live=live).answer(asked(about, tenant, integration))
    return visit.shown("explain", given=given, answer=answer)
