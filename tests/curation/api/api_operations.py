"""Every operation of the API, with what it needs and a body that it would take."""

from typing import Any, NamedTuple

from curation.api.api import api

P = "/projects/{slug}"


class Need(NamedTuple):
    """What an operation needs, and a body that it would take."""

    scope: str
    admin: bool = False
    body: Any = None


NEEDS = {
    "GET /me": Need("read"),
    "GET /me/keys": Need("read"),
    "PUT /me/keys/{action}": Need("review", body={"keys": ["q"]}),
    "DELETE /me/keys": Need("review"),
    "GET /me/work": Need("read"),
    "GET /projects": Need("read"),
    "POST /projects": Need("admin", body={"name": "New one"}),
    f"GET {P}": Need("read"),
    f"GET {P}/members": Need("read", admin=True),
    f"PUT {P}/members/{{username}}": Need("admin", admin=True, body={"role": "admin"}),
    f"DELETE {P}/members/{{username}}": Need("admin", admin=True),
    f"PUT {P}/rubric": Need("admin", admin=True, body={"min_validity": 0.9}),
    f"PATCH {P}": Need("admin", admin=True, body={"description": "Of eggs."}),
    f"POST {P}/review/next": Need("review"),
    f"POST {P}/review/release": Need("review"),
    f"POST {P}/review/undo": Need("review", body={}),
    f"POST {P}/review/items/{{item_id}}/ahead": Need("review"),
    f"POST {P}/review/items/{{item_id}}/renew": Need("review"),
    f"POST {P}/review/items/{{item_id}}/submit": Need(
        "review", body={"says": [{"rationale": 1, "verdict": "approve"}]}
    ),
    f"POST {P}/review/items/{{item_id}}/skip": Need("review", body={}),
    f"POST {P}/questions/{{question_id}}/claim": Need("review"),
    f"GET {P}/reviews": Need("read"),
    f"POST {P}/bulk-actions/preview": Need("read", admin=True, body={"kind": "approve"}),
    f"GET {P}/bulk-actions": Need("read", admin=True),
    f"POST {P}/bulk-actions": Need("admin", admin=True, body={"kind": "approve", "newest": 9}),
    f"GET {P}/bulk-actions/{{action_id}}": Need("read", admin=True),
    f"POST {P}/bulk-actions/{{action_id}}/undo": Need("admin", admin=True),
    f"POST {P}/bulk-actions/{{action_id}}/cancel": Need("admin", admin=True),
    f"POST {P}/bulk-actions/{{action_id}}/resume": Need("admin", admin=True),
    f"GET {P}/agreement": Need("read"),
    f"POST {P}/agreement": Need("review"),
    f"GET {P}/adjudications": Need("read", admin=True),
    f"GET {P}/adjudications/{{item_id}}": Need("read", admin=True),
    f"POST {P}/adjudications/{{item_id}}/decide": Need(
        "admin", admin=True, body={"says": [{"rationale": 1, "verdict": "approve"}]}
    ),
    f"POST {P}/adjudications/{{item_id}}/undo": Need("admin", admin=True),
    f"GET {P}/questions/{{question_id}}/flags": Need("read"),
    f"POST {P}/questions/{{question_id}}/flags": Need("review", body={"kind": "ambiguous"}),
    f"GET {P}/flags": Need("read", admin=True),
    f"DELETE {P}/flags/{{flag_id}}": Need("review"),
    f"POST {P}/flags/{{flag_id}}/settle": Need("admin", admin=True, body={"settlement": "kept"}),
    f"PUT {P}/questions/{{question_id}}/control": Need("admin", admin=True, body={}),
    f"DELETE {P}/questions/{{question_id}}/control": Need("admin", admin=True),
    f"GET {P}/controls": Need("read", admin=True),
    f"GET {P}/assignments": Need("read", admin=True),
    f"POST {P}/assignments": Need("admin", admin=True, body={"username": "rudi"}),
    f"DELETE {P}/assignments/{{username}}": Need("admin", admin=True),
    f"GET {P}/webhooks": Need("read", admin=True),
    f"POST {P}/webhooks": Need("admin", admin=True, body={"url": "https://example.org/x"}),
    f"PATCH {P}/webhooks/{{hook_id}}": Need("admin", admin=True, body={"is_active": False}),
    f"DELETE {P}/webhooks/{{hook_id}}": Need("admin", admin=True),
    f"POST {P}/webhooks/{{hook_id}}/secret": Need("admin", admin=True),
    f"POST {P}/webhooks/{{hook_id}}/test": Need("admin", admin=True),
    f"GET {P}/webhooks/{{hook_id}}/deliveries": Need("read", admin=True),
    f"POST {P}/webhooks/{{hook_id}}/deliveries/{{delivery_id}}/again": Need("admin", admin=True),
    f"GET {P}/questions": Need("read"),
    f"POST {P}/questions": Need("admin", admin=True, body={"questions": [{"question": "1 + 1?"}]}),
    f"GET {P}/questions/{{question_id}}": Need("read"),
    f"PATCH {P}/questions/{{question_id}}": Need("admin", admin=True, body={"domain": "eggs"}),
    f"GET {P}/questions/{{question_id}}/changes": Need("read"),
    f"POST {P}/question-changes/{{change_id}}/undo": Need("admin", admin=True),
    f"DELETE {P}": Need("admin", admin=True),
    f"DELETE {P}/questions/{{question_id}}": Need("admin", admin=True),
    f"DELETE {P}/rationales/{{rationale_id}}": Need("admin", admin=True),
    f"POST {P}/deletions/preview": Need("read", admin=True, body={"kind": "questions"}),
    f"GET {P}/deletions": Need("read", admin=True),
    f"POST {P}/deletions": Need("admin", admin=True, body={"kind": "questions", "newest": 9}),
    f"GET {P}/deletions/{{deletion_id}}": Need("read", admin=True),
    f"POST {P}/deletions/{{deletion_id}}/restore": Need("admin", admin=True, body={}),
    f"POST {P}/deletions/{{deletion_id}}/cancel": Need("admin", admin=True),
    f"POST {P}/deletions/{{deletion_id}}/resume": Need("admin", admin=True),
    "GET /deleted-projects": Need("read"),
    "POST /deleted-projects/{deleted}/restore": Need("admin"),
    f"GET {P}/imports": Need("read"),
    f"POST {P}/imports": Need("admin", admin=True),
    f"GET {P}/imports/{{import_id}}": Need("read"),
    f"POST {P}/imports/{{import_id}}/again": Need("admin", admin=True, body={}),
    f"POST {P}/imports/{{import_id}}/cancel": Need("admin", admin=True),
    f"GET {P}/rationales": Need("read"),
    f"GET {P}/rationales/{{rationale_id}}": Need("read"),
    f"GET {P}/rationales/{{rationale_id}}/answer": Need("read"),
    f"PUT {P}/rationales/{{rationale_id}}/answer": Need(
        "review", body={"answer": "3", "said": "right"}
    ),
    f"DELETE {P}/rationales/{{rationale_id}}/answer": Need("review"),
    f"GET {P}/reading-cases": Need("read"),
    f"POST {P}/meaning-searches": Need("read", body={"text": "eggs"}),
    f"GET {P}/meaning-searches/{{search_id}}": Need("read"),
    f"GET {P}/questions/{{question_id}}/history": Need("read"),
    f"POST {P}/questions/{{question_id}}/checks": Need("review", body={"text": "It is 3."}),
    f"GET {P}/checks/{{check_id}}": Need("review"),
    f"GET {P}/step-labels": Need("read", admin=True),
    f"GET {P}/views": Need("read"),
    f"POST {P}/views": Need(
        "review", body={"of": "questions", "name": "mine", "filters": {"state": "done"}}
    ),
    f"DELETE {P}/views/{{view_id}}": Need("review"),
    f"GET {P}/progress": Need("read"),
    f"GET {P}/seats": Need("read", admin=True),
    f"POST {P}/seats/{{seat_id}}/free": Need("admin", admin=True),
    f"GET {P}/teachers": Need("read"),
    f"GET {P}/teachers/{{teacher_id}}": Need("read"),
    f"POST {P}/teachers": Need("admin", admin=True, body={"name": "new", "model": "demo:strong"}),
    f"PATCH {P}/teachers/{{teacher_id}}": Need("admin", admin=True, body={"max_tokens": 99}),
    f"POST {P}/export-and-train": Need("admin", admin=True, body={}),
    f"GET {P}/runs": Need("read"),
    f"POST {P}/runs": Need("admin", admin=True, body={"teachers": ["strong"]}),
    f"GET {P}/runs/{{run_id}}": Need("read"),
    f"POST {P}/runs/{{run_id}}/pause": Need("admin", admin=True),
    f"POST {P}/runs/{{run_id}}/resume": Need("admin", admin=True),
    f"POST {P}/runs/{{run_id}}/cancel": Need("admin", admin=True),
    f"POST {P}/runs/{{run_id}}/retry": Need("admin", admin=True),
    f"PUT {P}/runs/{{run_id}}/budget": Need("admin", admin=True, body={"tokens": 5}),
    f"POST {P}/runs/{{run_id}}/cut-off": Need("admin", admin=True, body={"max_tokens": 500}),
    f"GET {P}/scoring": Need("read"),
    f"POST {P}/scoring": Need("admin", admin=True, body={}),
    f"POST {P}/scoring/cancel": Need("admin", admin=True),
    f"GET {P}/datasets": Need("read"),
    f"POST {P}/datasets": Need("admin", admin=True, body={}),
    f"POST {P}/datasets/preview": Need("read", admin=True, body={}),
    f"POST {P}/looks": Need("admin", admin=True, body={}),
    f"GET {P}/looks/{{look_id}}": Need("read", admin=True),
    f"GET {P}/looks/{{look_id}}/findings": Need("read", admin=True),
    f"POST {P}/looks/{{look_id}}/act": Need("admin", admin=True, body={"action": ""}),
    f"GET {P}/datasets/{{dataset}}": Need("read"),
    f"POST {P}/datasets/{{dataset}}/verify": Need("read", admin=True),
    f"GET {P}/datasets/{{dataset}}/verify": Need("read", admin=True),
    f"GET {P}/datasets/{{dataset}}/download/{{form}}": Need("read", admin=True),
    f"GET {P}/trainings": Need("read"),
    f"POST {P}/trainings": Need("admin", admin=True, body={"dataset": 1}),
    f"GET {P}/trainings/{{training_id}}": Need("read"),
    f"GET {P}/trainings/{{training_id}}/log": Need("read"),
    f"GET {P}/trainings/{{training_id}}/adapter": Need("read", admin=True),
    f"POST {P}/trainings/{{training_id}}/cancel": Need("admin", admin=True),
    f"POST {P}/trainings/{{training_id}}/resume": Need("admin", admin=True),
    f"GET {P}/evaluations": Need("read"),
    f"POST {P}/evaluations": Need("admin", admin=True, body={}),
    f"GET {P}/evaluations/{{evaluation_id}}": Need("read"),
    f"GET {P}/evaluations/{{evaluation_id}}/answers": Need("read"),
    f"POST {P}/evaluations/{{evaluation_id}}/cancel": Need("admin", admin=True),
    f"POST {P}/evaluations/{{evaluation_id}}/resume": Need("admin", admin=True),
}


class Operation(NamedTuple):
    verb: str
    path: str

    @property
    def key(self) -> str:
        return f"{self.verb} {self.path}"

    @property
    def need(self) -> Need:
        return NEEDS[self.key]


def operations() -> list[Operation]:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return [Operation(verb.upper(), path) for path, verbs in paths.items() for verb in verbs]


OPERATIONS = [one for one in operations() if one.key in NEEDS]
BELOW = [one for one in OPERATIONS if one.path.startswith(P)]
NUMBERED = [one for one in BELOW if "{" in one.path.removeprefix(P)]
