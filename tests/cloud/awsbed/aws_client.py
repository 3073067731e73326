"""AWS's Query APIs with Python's own library alone: form, Signature Version 4, XML."""
import datetime
import hashlib
import hmac
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}
# Never by a proxy: all of it is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer:
    def __init__(self, status, text):
        self.status = status
        self.root = ET.fromstring(text)
        for element in self.root.iter():
            element.tag = element.tag.split("}")[-1]

    @property
    def code(self):
        """The error's code, or ""."""
        return self.text("Code") if self.status >= 300 else ""

    def text(self, name):
        found = self.root.find(f".//{name}")
        return "" if found is None else (found.text or "")

    def texts(self, path):
        return [element.text for element in self.root.findall(path)]


def signed_headers(url, body, service, region, key, secret, token):
    """AWS Signature Version 4 ("Create a signed AWS API request", IAM User Guide)."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8",
               "host": urllib.parse.urlsplit(url).netloc, "x-amz-date": stamp}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{headers[name]}" for name in sorted(headers)),
                           "", names, hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    signing = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    return headers


class Client:
    def __init__(self, url, region, key="AKIABOOT", secret="x", token=""):
        self.url, self.region = url.rstrip("/") + "/", region
        self.key, self.secret, self.token = key, secret, token

    def call(self, service, action, **parameters):
        """Keyword parameters; "__" stands for a dot."""
        fields = {"Action": action, "Version": VERSIONS[service]}
        fields.update({name.replace("__", "."): value for name, value in parameters.items()})
        body = urllib.parse.urlencode(fields).encode()
        headers = signed_headers(self.url, body, service, self.region, self.key, self.secret,
                                 self.token)
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with OPENER.open(request, timeout=30) as response:
                return Answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())

    def ec2(self, action, **parameters):
        return self.call("ec2", action, **parameters)

    def must(self, service, action, **parameters):
        answer = self.call(service, action, **parameters)
        if answer.code:
            raise RuntimeError(f"{action}: {answer.code}: {answer.text('Message')}")
        return answer
