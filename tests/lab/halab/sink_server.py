#!/usr/bin/python3
"""The lab's mail server: takes every mail and keeps each as a file, byte for byte as it came."""

import argparse
import asyncio
import json
import pathlib

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Keeper:
    """NUMBER.eml is the mail, NUMBER.json its envelope; the envelope's file is complete first."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self._count += 1
        name = f"{self._count:04}"
        (self._folder / f"{name}.json").write_text(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "peer": session.peer[0],
            "helo": session.host_name}), encoding="utf-8")
        part = self._folder / f"{name}.part"
        part.write_bytes(envelope.original_content)
        part.rename(self._folder / f"{name}.eml")
        return f"250 kept as {name}"


def login_options(password_file: pathlib.Path | None) -> dict:
    """For SMTP(): whether a login is wanted, and who may."""
    if password_file is None:
        return {}
    password = password_file.read_bytes().rstrip(b"\n")

    def authenticate(_server, _session, _envelope, _mechanism, login: LoginPassword) -> AuthResult:
        return AuthResult(success=login.password == password, handled=False)

    return {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}


async def serve(folder: pathlib.Path, port: int, password_file: pathlib.Path | None) -> None:
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="mgr", enable_SMTPUTF8=True, loop=loop,
                     **login_options(password_file)), port=port)
    (folder / "ready").touch()
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=25)
    parser.add_argument("--password_file", type=pathlib.Path,
                        help="a login with this password is wanted")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.folder, arguments.port, arguments.password_file))


if __name__ == "__main__":
    main()
