"""The text that the demo and the verbs print: the servers, the client's rows, the mails."""

import pymysql

from halab import options
from halab.lab import Lab
from halab.writer import WriteReport


def servers(lab: Lab) -> str:
    """A line per server: running or not, read_only, where it replicates from, the virtual IP."""
    holders = lab.vip_holders()
    lines = [f"{'':4}  {'mysqld':<9} {'read_only':<9} {'replicates from':<18} virtual IP"]
    for name in options.DATABASE_HOSTS:
        state, read_only, source = _server(lab, name)
        vip = lab.options.vip_cidr if name in holders else "-"
        lines.append(f"{name:<4}  {state:<9} {read_only:<9} {source:<18} {vip}")
    return "\n".join(lines)


def _server(lab: Lab, name: str) -> tuple[str, str, str]:
    if not lab.hosts[name].running:
        return "host off", "?", "?"
    server = lab.databases[name]
    if server.pid() is None:
        return "down", "?", "?"
    try:
        read_only = "1" if server.read_only(timeout=2) else "0"
        status = server.replica_status(timeout=2)
    except pymysql.err.Error:
        return "no answer", "?", "?"
    if status is None or not status["Master_Host"]:
        return "up", read_only, "-"
    running = status["Slave_IO_Running"] == "Yes" and status["Slave_SQL_Running"] == "Yes"
    return "up", read_only, status["Master_Host"] + ("" if running else " (stopped)")


def writes(written: WriteReport) -> str:
    errors = ", ".join(f"{code}: {count}" for code, count in sorted(written.errors.items()))
    return (f"rows acknowledged            {written.acknowledged}\n"
            f"committed, not acknowledged  {_numbers(written.unacknowledged)}\n"
            f"failed inserts by error      {errors or 'none'}\n"
            f"acknowledged rows lost       {_numbers(written.lost)}")


def _numbers(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"{len(numbers)}" + (f" ({shown})" if numbers else "")


def mails(lab: Lab) -> str:
    """Each mail byte for byte, after a line with its envelope."""
    parts = []
    for mail in lab.mails():
        recipients = ", ".join(f"<{recipient}>" for recipient in mail.recipients)
        parts.append(f"--- from <{mail.sender}> to {recipients}\n"
                     + mail.raw.decode(errors="replace").replace("\r\n", "\n").rstrip())
    return "\n".join(parts) if parts else "no mail"
