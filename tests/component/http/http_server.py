#!/usr/bin/python3
"""An HTTP server for the HTTP client's tests: answers, or misbehaves as the path asks.

usage: http_server.py [--certificate FILE] [--stall tls|banner]

Prints {"port": n} when it listens, then a JSON object a line: an "event" (connect, request, gone),
with the number of the connection. Ends with its standard input. The first part of the path:

  /echo             the request as JSON                /status/503    that status, with a body
  /chunked          an answer in chunks                /empty         204
  /redirect         302 to /echo                       /no-length     ends with the connection; with
                                                       /no-length/alert TLS says so before
  /large/N          N bytes                            /large-chunks/N
  /endless-headers  header lines without end           /slow          a byte each 100 ms
  /not-http         words                              /die-second    see below
  /cut/WHERE        length, chunks, headers, status-line, nothing: the connection ends there
  /hang/WHERE       headers, status-line, body, nothing: silence from there on
  /signed           200 where the request is signed with version 4 by KEY, else 403 and why

/die-second: answers the connection's first request, and ends it without an answer at the next.
It is an HTTP proxy as well: CONNECT opens a tunnel to the port on this machine.
"""
import argparse
import hashlib
import hmac
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PRINTING = threading.Lock()


def tell(event, **more):
    with PRINTING:
        print(json.dumps({"event": event, **more}), flush=True)


class Request:
    def __init__(self, stream):
        line = stream.readline().decode("latin-1")
        if not line:
            raise EOFError
        self.method, self.target, self.version = line.split()
        self.headers = []
        while (line := stream.readline().decode("latin-1")).strip():
            name, _, value = line.partition(":")
            self.headers.append((name.lower(), value.strip()))
        self.body = stream.read(int(self.header("content-length", "0")))
        self.path, _, self.query = self.target.partition("?")

    def header(self, name, default=None):
        return dict(self.headers).get(name, default)

    def as_json(self):
        return {"method": self.method, "target": self.target, "headers": self.headers,
                "body": self.body.decode("latin-1")}


def hmac_of(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def flaw_of_signature(request):
    """"" or what AWS would find wrong (Signature Version 4, "Create a signed AWS API request")."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
        r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", request.header("authorization", ""))
    if not found:
        return "no such header: " + request.header("authorization", "")
    key, day, region, service, signed, signature = found.groups()
    names = signed.split(";")
    if key != KEY:
        return "unknown key " + key
    if names != sorted(names):
        return "signed headers are not sorted: " + signed
    sent = {name for name, _ in request.headers}
    missing = {"host", *(name for name in sent if name.startswith("x-amz-"))} - set(names)
    if "content-type" in sent and "content-type" not in names:
        missing.add("content-type")
    if missing or set(names) - sent:
        return f"signed {signed}, sent {sorted(sent)}"
    pairs = urllib.parse.parse_qsl(request.query, keep_blank_values=True)
    quote = urllib.parse.quote
    query = "&".join(sorted(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in pairs))
    headers = "".join(f"{n}:{' '.join(request.header(n).split())}\n" for n in names)
    canonical = "\n".join([request.method, request.path, query, headers, signed,
                           hashlib.sha256(request.body).hexdigest()])
    date = request.header("x-amz-date")
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    part = ("AWS4" + SECRET).encode()
    for text in (day, region, service, "aws4_request"):
        part = hmac_of(part, text)
    good = hmac_of(part, to_sign).hex()
    return "" if good == signature else "another signature than that of:\n" + canonical


class Connection:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.requests = 0

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))

    def answer(self, body, status="200 OK", extra=""):
        if not isinstance(body, bytes):
            body = body.encode()
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode()
                  + body)

    def serve(self):
        stream = self.sock.makefile("rb")
        while True:
            request = Request(stream)
            self.requests += 1
            tell("request", connection=self.number, method=request.method, path=request.path)
            if not self.handle(request):
                return

    def handle(self, request):
        """Whether the connection goes on."""
        if request.method == "CONNECT":
            return self.tunnel(request)
        path = urllib.parse.urlsplit(request.target).path  # a proxied one is a whole URL
        _, kind, *rest = path.split("/")
        method = getattr(self, "do_" + kind.replace("-", "_"), None)
        if method is None:
            self.answer("what?", "404 Not Found")
            return True
        return method(request, *rest) is not False

    def tunnel(self, request):
        there = socket.create_connection(("127.0.0.1", int(request.target.rpartition(":")[2])))
        self.send("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        threading.Thread(target=pump, args=(there, self.sock), daemon=True).start()
        pump(self.sock, there)
        return False

    def do_echo(self, request):
        self.answer(json.dumps(request.as_json()), extra="X-Connection: %d\r\n" % self.number)

    def do_status(self, request, status):
        self.answer("words", status + " Whatever")

    def do_empty(self, request):
        self.send("HTTP/1.1 204 No Content\r\n\r\n")

    def do_redirect(self, request):
        self.answer("", "302 Found", "Location: /echo\r\n")

    def do_chunked(self, request):
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")

    def do_no_length(self, request, end=None):
        self.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf or whole")
        if end == "alert":
            self.sock.unwrap()
        return False

    def do_large(self, request, size):
        self.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n" + "x" * int(size))

    def do_large_chunks(self, request, size):
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(int(size) // 65536):
            self.send("10000\r\n" + "x" * 65536 + "\r\n")
        self.send("0\r\n\r\n")

    def do_endless_headers(self, request):
        self.send("HTTP/1.1 200 OK\r\n")
        while True:
            self.send("X-Fill: " + "x" * 8192 + "\r\n")

    def do_slow(self, request):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            self.send("x")
            time.sleep(0.1)

    def do_not_http(self, request):
        self.send("220 mail.example ESMTP\r\n")
        return False

    def do_die_second(self, request):
        if self.requests > 1:
            return False
        self.answer("first")
        return True

    PARTS = {"nothing": "", "status-line": "HTTP/1.1 2", "headers": "HTTP/1.1 200 OK\r\nContent-Le",
             "length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
             "chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}

    def do_cut(self, request, where):
        self.send(self.PARTS[where])
        return False

    def do_hang(self, request, where):
        self.send(self.PARTS["length" if where == "body" else where])
        self.sock.recv(1)  # until the client has gone
        return False

    def do_signed(self, request):
        flaw = flaw_of_signature(request)
        self.answer(flaw or "good", "403 Forbidden" if flaw else "200 OK")


def run(sock, number, context, stall):
    tell("connect", connection=number)
    try:
        if stall == "tls":
            while sock.recv(65536):
                pass
            return
        if stall == "banner":  # a server of another kind
            sock.sendall(b"220 mail.example ESMTP\r\n")
            sock.recv(1)
            return
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        Connection(sock, number).serve()
    except (OSError, EOFError, ValueError):
        pass
    finally:
        sock.close()
        tell("gone", connection=number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--stall", choices=["tls", "banner"])
    options = parser.parse_args()
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    number = 0
    while True:
        sock, _ = listener.accept()
        number += 1
        threading.Thread(target=run, args=(sock, number, context, options.stall),
                         daemon=True).start()


if __name__ == "__main__":
    main()
