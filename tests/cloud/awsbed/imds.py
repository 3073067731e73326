"""An instance metadata service, version 2 only, and the knobs of the bed.

GET and PUT as the EC2 User Guide says. Knobs, all by POST with JSON:
  /bed/imds   sets any of instance_id, mac, role, region, credentials (an object that goes over the
              default answer), latency (seconds), token_status (200, 403, 404, 503...)
  /bed/world  everything is forgotten and the world made anew; answers with it
  /bed/auth   {"on": true or false}: whether signatures and policies are checked
"""
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/latest/meta-data/"
LONGEST_TOKEN = 21600


def utc(when):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


class Knobs:
    def __init__(self, region):
        self.values = {"instance_id": "i-0123456789abcdef0", "mac": "02:00:00:00:00:01",
                       "role": "dbrole", "region": region, "credentials": {}, "latency": 0,
                       "token_status": 200}
        self.tokens = {}

    def credentials(self):
        now = time.time()
        return {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": utc(now),
                "Expiration": utc(now + LONGEST_TOKEN), "AccessKeyId": "ASIABED",
                "SecretAccessKey": "secret", "Token": "token", **self.values["credentials"]}


def handler_for(knobs, posts):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, text="", kind="text/plain"):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def body(self):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def do_PUT(self):
            self.body()
            time.sleep(knobs.values["latency"])
            lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if self.path != "/latest/api/token":
                return self.answer(404)
            if knobs.values["token_status"] != 200:
                return self.answer(knobs.values["token_status"])
            if "X-Forwarded-For" in self.headers:
                return self.answer(403)
            if not lifetime.isdigit() or not 1 <= int(lifetime) <= LONGEST_TOKEN:
                return self.answer(400)
            token = uuid.uuid4().hex
            knobs.tokens[token] = time.time() + int(lifetime)
            return self.answer(200, token)

        def do_GET(self):
            time.sleep(knobs.values["latency"])
            token = self.headers.get("X-aws-ec2-metadata-token", "")
            if knobs.tokens.get(token, 0) < time.time():
                return self.answer(401)
            values, role = knobs.values, knobs.values["role"]
            if not self.path.startswith(PREFIX):
                return self.answer(404)
            name = self.path[len(PREFIX):]
            if role and name == "iam/security-credentials/":
                return self.answer(200, role)
            if role and name == "iam/security-credentials/" + role:
                return self.answer(200, json.dumps(knobs.credentials()), "application/json")
            simple = {"instance-id": values["instance_id"], "mac": values["mac"],
                      "placement/region": values["region"],
                      "placement/availability-zone": values["region"] + "a"}
            return self.answer(200, simple[name]) if name in simple else self.answer(404)

        def do_POST(self):
            act = posts.get(self.path)
            try:
                asked = json.loads(self.body() or b"{}")
                said = act(asked) if act else None
            except (ValueError, KeyError) as error:
                return self.answer(400, str(error))
            if act is None:
                return self.answer(404)
            return self.answer(200, json.dumps(said), "application/json")

    return Handler


def start(knobs, posts):
    """The running server; its port is server_port."""
    def set_knobs(asked):
        unknown = set(asked) - set(knobs.values)
        if unknown:
            raise KeyError(f"unknown: {', '.join(sorted(unknown))}")
        knobs.values.update(asked)
        return knobs.values

    server = ThreadingHTTPServer(("127.0.0.1", 0),
                                 handler_for(knobs, {"/bed/imds": set_knobs, **posts}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
