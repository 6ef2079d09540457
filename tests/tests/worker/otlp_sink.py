"""A collector for tests: takes OTLP over HTTP and prints each span as a line of JSON. Its first line is its port."""

import http.server
import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def values(attributes):
    return {a.key: a.value.string_value or a.value.int_value for a in attributes}


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        is_otlp = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans if is_otlp else ():
            for scope in resource.scope_spans:
                for span in scope.spans:
                    line = {
                        "service": values(resource.resource.attributes)["service.name"],
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "name": span.name,
                        "kind": span.kind,
                        "ms": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                        "attributes": values(span.attributes),
                        "events": [[e.name, values(e.attributes)] for e in span.events],
                        "failed": span.status.code == 2,
                    }
                    print(json.dumps(line), flush=True)
        self.send_response(200 if is_otlp else 400)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_address[1], flush=True)
server.serve_forever()
