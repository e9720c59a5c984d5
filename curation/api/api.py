"""The API: one object that knows every operation, and its documentation."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from curation.api.core import problems
from curation.api.core.auth import READ, Access
from curation.api.core.request_body import StrictParser
from curation.api.routes import (
    dataset_gates,
    datasets,
    evaluations,
    projects,
    question_changes,
    questions,
    rationales,
    runs,
    semantic_search,
    teachers,
    trainings,
    webhooks,
)
from curation.api.routes.reviewing import (
    agreement,
    around,
    bulk,
    deletion,
    leading,
    readings,
    reviews,
    step_labels,
    text_checks,
)

ABOUT = """\
What the pages do, for scripts and for other clients. Send a token that you make at
`/tokens/` as `Authorization: Bearer cw_…`; what it may do is never more than what you may.

Lists come in pages: follow `next` until it is null. Errors are `application/problem+json` with a
`detail` in words: 400 what cannot be accepted, 401 no token in force, 403 not yours to do, 404 absent
or not yours to see, 409 somebody was first, 429 too many requests (wait `Retry-After` seconds).
Orders take an `order_key` of your own making: the same order sent twice is carried out once.
"""


class Docs(DocsBase):
    """Swagger's page out of the package's own files, under the strict Content-Security-Policy."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        settings = {"url": self.get_openapi_url(api, kwargs), "layout": "BaseLayout"}
        settings |= {"deepLinking": True, "docExpansion": "none", "persistAuthorization": False}
        return render(request, "api/docs.html", {"settings": settings})


class Api(NinjaAPI):
    _schemas: ClassVar[dict[str, OpenAPISchema]] = {}

    def get_openapi_schema(self, **place: Any) -> OpenAPISchema:
        """Made once: anybody may ask for it, and making it takes a good part of a second."""
        key = str(place)
        if key not in self._schemas:
            made = super().get_openapi_schema(**place)
            _say_needs(made, self)
            self._schemas[key] = made
        return self._schemas[key]

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's own name: what a generated client calls its method."""
        return operation.view_func.__name__


PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in words."},
        "errors": {
            "type": "array",
            "description": "Of what cannot be accepted: the fields.",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _say_needs(description: OpenAPISchema, of: NinjaAPI) -> None:
    """At each operation: the scope that a token needs, whether it is for admins alone, and the shape of
    errors."""
    needs = {}
    for bound in of._get_bound_routers():
        for view in bound.path_operations.values():
            needs |= {one.view_func.__name__: one.auth_callbacks[0] for one in view.operations}
    for verbs in description["paths"].values():
        for told in verbs.values():
            access: Access = needs[told["operationId"]]
            words = f"Needs the scope `{access.scope}`"
            words += ", and an admin of the project." if access.admin else "."
            told["description"] = f"{told.get('description', '')}\n\n{words}".strip()
            shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
            content = {"application/problem+json": shape}
            told["responses"]["default"] = {"description": "A problem", "content": content}
    description["components"]["schemas"]["Problem"] = PROBLEM


api = Api(
    title="Chainwright",
    version="1",
    description=ABOUT,
    docs=Docs(),
    urls_namespace="api",
    auth=READ,  # an operation that says nothing is not open to everybody
    parser=StrictParser(),
)
problems.install(api)
for _room in (
    *(
        projects,
        questions,
        question_changes,
        rationales,
        teachers,
        runs,
        reviews,
        agreement,
        leading,
        bulk,
    ),
    *(
        around,
        step_labels,
        semantic_search,
        text_checks,
        readings,
        deletion,
        datasets,
        dataset_gates,
        trainings,
        evaluations,
        webhooks,
    ),
):
    api.add_router("", _room.router)
