"""A small service for the tests: it says ready at its second question, and shows its settings."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        Health.asked += 1
        self.send_response(200 if Health.asked > 1 else 503)
        self.end_headers()


if __name__ == "__main__":
    print(sorted(name for name in os.environ if name.startswith("KEYTURN_")), flush=True)
    if "KEYTURN_BROKEN" in os.environ:
        sys.exit("this service is broken")
    HTTPServer(("127.0.0.1", int(os.environ["KEYTURN_HEALTH_PORT"])), Health).serve_forever()
