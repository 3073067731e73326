#!/usr/bin/python3
"""A bad wire between a host and the lab's bridge: it delays, loses or withholds packets.

usage: chaos_wire.py READY HOST_SIDE BRIDGE_SIDE [--delay-ms=N] [--loss=PERCENT] [--seed=N]
           [--drop=in|out|both] [--mute=PORT] [--misspell-kills] [--peer=ADDRESS]
  in: towards the host. --mute: the host's answers from that TCP port carry no data, so it accepts
  connections and says nothing. --misspell-kills: a KILL arrives as a word that no server knows, which
  refuses it. --peer: all that for packets from and to this address alone.

Frames pass with their virtio header: those of a veth pair are larger than a wire's, and have no
checksum yet.
"""

import argparse
import heapq
import pathlib
import random
import select
import socket
import time

_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3
_VNET_HEADER = 10
_LARGEST = 70_000


def _open(link: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.bind((link, 0))
    return end


class Packet:
    """The parts of an IPv4 packet that are asked for; `ip` is empty where it is none."""

    def __init__(self, frame: bytes) -> None:
        ethernet = frame[_VNET_HEADER:]
        self.ip = ethernet[14:] if ethernet[12:14] == b"\x08\x00" else b""

    def concerns(self, peer: bytes) -> bool:
        return peer in (self.ip[12:16], self.ip[16:20])

    def is_data_from(self, port: int) -> bool:
        """A TCP segment with something in it."""
        if not self.ip or self.ip[9] != socket.IPPROTO_TCP:
            return False
        header = (self.ip[0] & 15) * 4
        tcp = self.ip[header:]
        length = int.from_bytes(self.ip[2:4], "big") or len(self.ip)
        return (int.from_bytes(tcp[0:2], "big") == port
                and length > header + (tcp[12] >> 4) * 4)


class Wire:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._host = _open(arguments.host_side)
        self._bridge = _open(arguments.bridge_side)
        self._arguments = arguments
        self._peer = socket.inet_aton(arguments.peer) if arguments.peer else b""
        self._random = random.Random(arguments.seed)
        self._waiting: list[tuple[float, int, socket.socket, bytes]] = []
        self._count = 0

    def _loses(self, frame: bytes, outward: bool) -> bool:
        packet = Packet(frame)
        if self._peer and not packet.concerns(self._peer):
            return False
        if self._arguments.drop in ("both", "out" if outward else "in"):
            return True
        if outward and self._arguments.mute and packet.is_data_from(self._arguments.mute):
            return True
        return self._random.random() * 100 < self._arguments.loss

    def _misspelt(self, frame: bytes) -> bytes:
        """Two letters that are two bytes apart change places: TCP's checksum stays as it is."""
        if self._peer and not Packet(frame).concerns(self._peer):
            return frame
        return frame.replace(b"KILL ", b"LIKL ")

    def run(self) -> None:
        ends = {self._host: self._bridge, self._bridge: self._host}
        while True:
            patience = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            for end in select.select(ends, [], [], patience)[0]:
                frame = end.recv(_LARGEST)
                if not self._loses(frame, end is self._host):
                    if self._arguments.misspell_kills and end is self._bridge:
                        frame = self._misspelt(frame)
                    self._count += 1
                    due = time.monotonic() + self._arguments.delay_ms / 1000
                    heapq.heappush(self._waiting, (due, self._count, ends[end], frame))
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, end, frame = heapq.heappop(self._waiting)
                try:
                    end.send(frame)
                except OSError:
                    pass  # the other side is down: so is a wire


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ready", type=pathlib.Path)
    parser.add_argument("host_side")
    parser.add_argument("bridge_side")
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drop", choices=("in", "out", "both"))
    parser.add_argument("--mute", type=int)
    parser.add_argument("--misspell-kills", action="store_true")
    parser.add_argument("--peer")
    arguments = parser.parse_args()
    wire = Wire(arguments)
    arguments.ready.touch()
    wire.run()


if __name__ == "__main__":
    main()
