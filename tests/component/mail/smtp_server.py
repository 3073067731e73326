#!/usr/bin/python3
"""An SMTP server for the mail tests: takes mails, or misbehaves as asked.

Prints "PORT n" when it listens, then a JSON object a line: an "event" (connect, login, rcpt, mail,
quit, gone).
A mail comes as Python's email package reads it. Ends with its standard input, or when killed.
"""
import argparse
import asyncio
import email
import email.policy
import json
import logging
import re
import socket
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Handler:
    def __init__(self, options):
        self.options = options

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        tell("rcpt", address=address)
        if self.options.refuse_all or address in self.options.refuse:
            return "550 5.1.1 no mailbox " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.stall == "reply":
            await asyncio.sleep(3600)
        if self.options.refuse_message:
            return "554 5.7.1 not this message"
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        tell("mail", mail_from=envelope.mail_from, rcpt_to=envelope.rcpt_tos,
             tls=bool(session.ssl) or session_is_tls(server), login=bool(session.authenticated),
             headers={name.lower(): str(value) for name, value in message.items()},
             defects=[repr(defect) for defect in message.defects],
             body=message.get_content().replace("\r\n", "\n"),
             bare_line_ends=re.search(rb"\r(?!\n)|(?<!\r)\n", raw) is not None, longest_line=max(map(len, raw.split(b"\r\n"))),
             ascii=raw.isascii())
        return "250 OK queued"

    async def handle_QUIT(self, server, session, envelope):
        tell("quit")
        if self.options.stall == "quit":
            await asyncio.sleep(3600)
        return "221 Bye"


def session_is_tls(server):
    return server.transport.get_extra_info("ssl_object") is not None


def check_login(options):
    def check(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and data == LoginPassword(
            options.user.encode(), options.password.encode())
        tell("login", mechanism=mechanism, good=good)
        # handled=False: aiosmtpd answers a failure with 535 itself.
        return AuthResult(success=good, handled=False)
    return check


async def stall_early(options, reader, writer):
    """Protocols that end before a mail is there."""
    tell("connect")
    if options.stall == "greeting":
        await asyncio.sleep(3600)
    writer.write(b"220 mx\r\n")
    while line := await reader.readline():
        verb = line.split()[0].upper()
        if verb in (b"EHLO", b"DATA") and options.stall == verb.decode().lower():
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                # Nothing is read any more, so that a large message blocks in the middle.
                writer.transport.pause_reading()
            await asyncio.sleep(3600)
        if verb == b"QUIT":
            tell("quit")
            break
        writer.write(b"250 OK\r\n")
    writer.close()


class Session(SMTP):
    def connection_made(self, transport):
        tell("connect")
        super().connection_made(transport)

    def connection_lost(self, error):
        tell("gone")
        super().connection_lost(error)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--plain_login", action="store_true", help="offer AUTH without TLS")
    parser.add_argument("--only_mechanism", help="offer no other AUTH mechanism")
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--refuse_all", action="store_true")
    parser.add_argument("--refuse_message", action="store_true")
    parser.add_argument("--size_limit", type=int, default=32 << 20)
    parser.add_argument("--stall", choices=["greeting", "ehlo", "data", "reply", "quit"])
    options = parser.parse_args()

    # Tests provoke what aiosmtpd complains about.
    logging.getLogger("mail").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")

    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    excluded = {"PLAIN", "LOGIN"} - {options.only_mechanism} if options.only_mechanism else None

    def session():
        return Session(
            Handler(options), data_size_limit=options.size_limit,
            tls_context=context if options.tls == "starttls" else None,
            require_starttls=options.tls == "starttls",
            auth_required=bool(options.user), authenticator=check_login(options),
            auth_require_tls=options.tls != "implicit" and not options.plain_login,
            auth_exclude_mechanism=excluded, hostname="mx.example")

    if options.stall in ("greeting", "ehlo", "data"):
        server = await asyncio.start_server(
            lambda reader, writer: stall_early(options, reader, writer), options.host, 0)
    else:
        server = await asyncio.get_running_loop().create_server(
            session, options.host, 0, ssl=context if options.tls == "implicit" else None)
    if options.stall == "data":  # so that the sender notices soon
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    # The end of standard input is the end of the test.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
