#!/usr/bin/python3
"""Thousands of clients in one process: all connected, some of them writing.

Speaks the protocol of MySQL itself, since 5,000 threads of a client library would measure
themselves. Who loses a connection makes a new one at once and tries for ever, as a pool does: after
10 ms where it is refused, and gives an attempt up after --timeout-ms. Each writer inserts a row
every --interval-ms, and the same row again until it is acknowledged; the others ask every 20 s
whether the server is there. On standard output, at the end
(SIGTERM): JSON {"opened": logins, "acks": [[ns, writer, number], ...]}, times of CLOCK_MONOTONIC.
The file --ready appears once every client has logged in.
"""

import argparse
import errno
import hashlib
import heapq
import json
import os
import pathlib
import random
import selectors
import signal
import socket
import struct
import time

_CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x8000 | 0x80000  # with a database, 4.1, plugin's name
_RETRY = 0.010
# As a pool does: whose connection's end was lost with the address does not know it before.
_PING = 20
_DUPLICATE_KEY = 1062  # it was written, and the acknowledgement lost
_LET_IN = b"\x01\x03"  # caching_sha2_password knew the password


class Client:
    """One connection after the other. `waits_for`: connect, greeting, login, answer, pong, or ""
    for nothing."""

    def __init__(self, crowd: "Crowd", number: int, writes: bool) -> None:
        self._crowd = crowd
        self.number = number
        self.writes = writes
        self.socket: socket.socket | None = None
        self.waits_for = ""
        self.turn = 0  # a timer of an earlier state does nothing
        self._row = 1
        self._received = b""
        self._sequence = 0  # of the packet that came last

    def connect(self) -> None:
        self.close()
        self.socket = socket.socket(self._crowd.family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        if self.socket.connect_ex(self._crowd.address) not in (0, errno.EINPROGRESS):
            self.retry()
            return
        self._crowd.selector.register(self.socket, selectors.EVENT_WRITE, self)
        self._wait("connect")

    def close(self) -> None:
        if self.socket is not None:
            if self.waits_for != "closed":
                self._crowd.forget(self.socket)
            self.socket.close()
        self.socket = None

    def retry(self) -> None:
        self.close()
        self.waits_for = ""
        self._crowd.later(self, _RETRY)

    def _wait(self, state: str) -> None:
        self.waits_for = state
        self._crowd.later(self, self._crowd.timeout)

    def timer(self) -> None:
        """Of the state that set it: the time for an answer is over, or it is time to write."""
        if self.waits_for:
            self.retry()
        elif self.socket is None:
            self.connect()
        elif self.writes:
            self.write()
        else:
            self._send(0, b"\x0e")  # COM_PING
            self._wait("pong")

    def write(self) -> None:
        self._send(0, b"\x03INSERT INTO crowd VALUES (%d, %d, @@server_id)"
                   % (self.number, self._row))
        self._wait("answer")

    def _send(self, sequence: int, payload: bytes) -> None:
        self.socket.send(struct.pack("<I", len(payload) | sequence << 24) + payload)

    def event(self) -> None:
        try:
            if self.waits_for == "connect":
                if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self.retry()
                    return
                self._crowd.selector.modify(self.socket, selectors.EVENT_READ, self)
                self._wait("greeting")
                return
            data = self.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._crowd.forget(self.socket)
            self.waits_for = "closed"
            self.connect()
            return
        self._received += data
        while len(self._received) >= 4 and self.socket is not None:
            size = int.from_bytes(self._received[:3], "little")
            if len(self._received) < 4 + size:
                break
            self._sequence = self._received[3]
            packet, self._received = self._received[4:4 + size], self._received[4 + size:]
            self._packet(packet)

    def _packet(self, packet: bytes) -> None:
        if self.waits_for == "greeting" and packet[0] == 10:
            self._log_in(packet)
        elif self.waits_for == "login" and packet[0] == 0:
            self._crowd.opened += 1
            self._rest(random.random() * (self._crowd.interval if self.writes else _PING))
            self._crowd.logged_in(self)
        elif self.waits_for == "login" and packet[0] == 0xFE:
            self._log_in_otherwise(packet)
        elif self.waits_for == "login" and packet == _LET_IN:
            pass  # the answer proper comes in a packet of its own
        elif self.waits_for == "answer":
            code = int.from_bytes(packet[1:3], "little") if packet[0] == 0xFF else 0
            if code not in (0, _DUPLICATE_KEY):
                self.retry()  # read-only, or going down
                return
            self._crowd.acks.append((time.monotonic_ns(), self.number, self._row))
            self._row += 1
            self._rest(self._crowd.interval)
        elif self.waits_for == "pong" and packet[0] == 0:
            self._rest(_PING)
        else:
            self.retry()  # too many connections, an account that is locked

    def _rest(self, span: float) -> None:
        self.waits_for = ""
        self.turn += 1
        self._crowd.later(self, span)

    def _log_in(self, greeting: bytes) -> None:
        version_end = greeting.index(b"\0", 1)
        salt = greeting[version_end + 5:version_end + 13]
        salt += greeting[version_end + 32:version_end + 44]
        plugin = greeting[version_end + 45:].split(b"\0")[0]
        if plugin not in _SCRAMBLES:
            plugin = b"mysql_native_password"
        answer = _SCRAMBLES[plugin](self._crowd.password, salt)
        self._send(1, struct.pack("<IIB23x", _CAPABILITIES, 1 << 24, 45) + self._crowd.user + b"\0"
                   + bytes([len(answer)]) + answer + b"lab\0" + plugin + b"\0")
        self._wait("login")

    def _log_in_otherwise(self, request: bytes) -> None:
        """The server asks for another plugin than the one that its greeting named."""
        plugin, salt = request[1:].split(b"\0", 1)
        self._send(self._sequence + 1, _SCRAMBLES[plugin](self._crowd.password, salt[:20]))
        self._wait("login")


def _native(password: bytes, salt: bytes) -> bytes:
    once = hashlib.sha1(password).digest()
    mask = hashlib.sha1(salt + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


def _caching_sha2(password: bytes, salt: bytes) -> bytes:
    """What lets in who has logged in before, over TLS: the lab's own clients have."""
    once = hashlib.sha256(password).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + salt).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


_SCRAMBLES = {b"mysql_native_password": _native, b"caching_sha2_password": _caching_sha2}


class Crowd:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        self.address = (arguments.host, arguments.port)
        self.user = arguments.user.encode()
        self.password = os.environ["LAB_PASSWORD"].encode()
        self.timeout = arguments.timeout_ms / 1000
        self.interval = arguments.interval_ms / 1000
        self.selector = selectors.DefaultSelector()
        self.opened = 0
        self.acks: list[tuple[int, int, int]] = []
        self.stopping = False
        self._timers: list[tuple[float, int, int, Client]] = []
        self._ready = pathlib.Path(arguments.ready)
        self._clients = [Client(self, number, number < arguments.writers)
                         for number in range(arguments.clients)]
        self._unopened = set(range(arguments.clients))

    def later(self, client: Client, span: float) -> None:
        client.turn += 1
        heapq.heappush(self._timers,
                       (time.monotonic() + span, client.number, client.turn, client))

    def forget(self, sock: socket.socket) -> None:
        try:
            self.selector.unregister(sock)
        except (KeyError, ValueError):
            pass

    def logged_in(self, client: Client) -> None:
        if self._unopened:
            self._unopened.discard(client.number)
            if not self._unopened:
                self._ready.touch()

    def run(self) -> None:
        for number, client in enumerate(self._clients):
            self.later(client, number / 2000)  # at first not all at once
        while not self.stopping:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                _, _, turn, client = heapq.heappop(self._timers)
                if client.turn == turn:
                    client.timer()
            wait = self._timers[0][0] - time.monotonic() if self._timers else 0.1
            for key, _ in self.selector.select(min(max(wait, 0), 0.1)):
                key.data.event()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--user", default="app")
    parser.add_argument("--clients", type=int, default=5000)
    parser.add_argument("--writers", type=int, default=1000)
    parser.add_argument("--interval-ms", type=float, default=1000)
    parser.add_argument("--timeout-ms", type=float, default=1000)
    parser.add_argument("--ready", required=True)
    crowd = Crowd(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: setattr(crowd, "stopping", True))
    crowd.run()
    print(json.dumps({"opened": crowd.opened, "acks": crowd.acks}))


if __name__ == "__main__":
    main()
