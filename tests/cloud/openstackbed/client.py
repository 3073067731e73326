"""Calls of Keystone and Neutron, for making the world and proving it."""
import json
import urllib.error
import urllib.request

from .commands import BedError


class Cloud:
    """A login, and calls with its token. `expect` is the status that must come."""

    def __init__(self, keystone, auth):
        self.keystone = keystone
        _, headers, body = call("POST", keystone + "/auth/tokens", {"auth": auth}, {}, (201,))
        self.token = headers["X-Subject-Token"]
        self.network = next(endpoint["url"] for service in body["token"].get("catalog", [])
                            if service["type"] == "network" for endpoint in service["endpoints"]
                            if endpoint["interface"] == "public") + "/v2.0"
        self.user_id = body["token"]["user"]["id"]

    def ask(self, method, url, body=None, expect=(200, 201, 204), revision=None):
        headers = {"X-Auth-Token": self.token}
        if revision is not None:
            headers["If-Match"] = f"revision_number={revision}"
        status, _, answer = call(method, url, body, headers, expect)
        return answer if expect != "any" else (status, answer)

    def identity(self, method, path, body=None, **options):
        return self.ask(method, self.keystone + path, body, **options)

    def neutron(self, method, path, body=None, **options):
        return self.ask(method, self.network + path, body, **options)


def direct():
    """Never through a proxy: all of this is on loopback."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, url, body, headers, expect):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method,
                                     headers={"Content-Type": "application/json", **headers})
    try:
        with direct().open(request, timeout=60) as response:
            status, got, text = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        status, got, text = error.code, error.headers, error.read()
    if expect != "any" and status not in expect:
        raise BedError(f"{method} {url}: status {status}, not {expect}: {text[:300]!r}")
    return status, got, json.loads(text) if text else None


def password_auth(user, password, project):
    domain = {"id": "default"}
    return {"identity": {"methods": ["password"], "password": {"user": {
                "name": user, "domain": domain, "password": password}}},
            "scope": {"project": {"name": project, "domain": domain}}}


def credential_auth(credential):
    return {"identity": {"methods": ["application_credential"], "application_credential": {
        "id": credential["id"], "secret": credential["secret"]}}}
