"""What a failed operation must leave as it was found, read from outside, over each server's socket."""

import dataclasses

import pymysql

from support import DATABASE_HOSTS, Lab

# Of these each server has some.
_VARIABLES = (
    "read_only", "super_read_only", "event_scheduler", "max_connections",
    "rpl_semi_sync_master_enabled", "rpl_semi_sync_slave_enabled", "rpl_semi_sync_source_enabled",
    "rpl_semi_sync_replica_enabled")


@dataclasses.dataclass(frozen=True)
class Server:
    """`variables` and `events` by name; no `source`: it replicates from nobody."""

    variables: dict[str, str]
    source: str
    threads: tuple[str, str]
    events: dict[str, str]


@dataclasses.dataclass(frozen=True)
class State:
    vip_holders: tuple[str, ...]
    # None: the host is off, or no server answers there.
    servers: dict[str, Server | None]

    def master(self) -> str:
        """The writable server that holds the address; "" where that is not exactly one."""
        able = [name for name, server in self.servers.items()
                if server is not None and server.variables["read_only"] in ("OFF", "0")]
        return able[0] if len(able) == 1 and self.vip_holders == (able[0],) else ""


def _server(lab: Lab, name: str) -> Server | None:
    if not lab.hosts[name].running or lab.database(name).pid() is None:
        return None
    names = ", ".join(f"'{one}'" for one in _VARIABLES)
    try:
        variables = {row["Variable_name"]: row["Value"] for row in lab.sql(
            name, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")}
        status = lab.database(name).replica_status()
        events = {row["EVENT_NAME"]: row["STATUS"] for row in lab.sql(
            name, "SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS")}
    except pymysql.err.Error:
        return None
    if status is None or not status["Master_Host"]:
        return Server(variables, "", ("", ""), events)
    return Server(variables, status["Master_Host"],
                  (status["Slave_IO_Running"], status["Slave_SQL_Running"]), events)


def read(lab: Lab) -> State:
    return State(tuple(lab.vip_holders()), {name: _server(lab, name) for name in DATABASE_HOSTS})


def differences(before: State, after: State) -> dict[str, str]:
    """By what it is about ("vip", "db2 read_only", ...): what was and what is."""
    found = {}
    if before.vip_holders != after.vip_holders:
        found["vip"] = f"{before.vip_holders} -> {after.vip_holders}"
    for name in DATABASE_HOSTS:
        was, now = before.servers[name], after.servers[name]
        if was is None or now is None:
            if was != now:
                found[f"{name} server"] = "came up" if was is None else "does not answer"
            continue
        for key in was.variables.keys() | now.variables.keys():
            if was.variables.get(key) != now.variables.get(key):
                found[f"{name} {key}"] = f"{was.variables.get(key)} -> {now.variables.get(key)}"
        for part in ("source", "threads", "events"):
            if getattr(was, part) != getattr(now, part):
                found[f"{name} {part}"] = f"{getattr(was, part)} -> {getattr(now, part)}"
    return found
