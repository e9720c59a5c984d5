"""What bodies and addresses may hold, before any schema looks at them."""

from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja import Schema
from ninja.parser import Parser
from pydantic import ConfigDict

from curation.text.storable import form_must_be_storable, read_json


class Body(Schema):
    """Base of all that is sent: fields that are not offered are refused, and no type is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class StrictParser(Parser):
    """JSON as its standard has it; and no text, in JSON, a form or an address, that cannot be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        return read_json(request.body)

    def parse_querydict(
        self, data: MultiValueDict, list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        form_must_be_storable(data)
        return super().parse_querydict(data, list_fields, request)
