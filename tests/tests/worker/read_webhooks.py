"""Reads requests, one JSON object a line, with the official libraries; prints how many it accepted, or what was wrong."""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

verified, events = 0, []
for line in open(sys.argv[1], encoding="utf-8"):
    request = json.loads(line)
    body, headers = base64.b64decode(request["body"]), request["headers"]
    for secret in request.get("secrets", []):
        Webhook(secret).verify(body.decode(), headers)
        verified += 1
        try:
            Webhook(secret).verify(body.decode() + " ", headers)
            sys.exit("a changed body was accepted")
        except WebhookVerificationError:
            pass
    kind = request.get("cloudevent")
    if kind == "batch":
        found = [JSONFormat().read(None, json.dumps(one)) for one in json.loads(body)]
    elif kind:
        found = [from_http_event(HTTPMessage(headers=headers, body=body))]
    else:
        found = []
    for event in found:
        events.append([event.get_id(), event.get_type(), event.get_source(), event.get_extension("bankid"),
                       event.get_extension("traceid"), event.get_data()])
print(json.dumps({"verified": verified, "events": events}))
