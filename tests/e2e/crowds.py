"""Starts crowd.py on app and reads what it was told."""

from support import HERE, Eventually, Lab


class CrowdOf:
    """Clients of one account. The table must be there: see make_table."""

    def __init__(self, lab: Lab, name: str, host: str, user: str, password: str, *,
                 idle: int = 0, writers: int = 1) -> None:
        self._lab = lab
        self._host = lab.hosts["app"]
        log = self._host.folder_inside / "log" / f"{name}.events"
        self._log = self._host.folder / "log" / f"{name}.events"
        self._pid = self._host.start_in_background(
            ["/usr/bin/python3", "-B", str(HERE / "crowd.py"), f"--host={host}",
             f"--port={lab.options.port}", f"--user={user}", f"--idle={idle}",
             f"--writers={writers}", f"--log={log}"], f"{name}.log", {"LAB_PASSWORD": password})
        waiting = Eventually()
        while not any(event[0] == "ready" for event in self.events()):
            if waiting.over():
                raise AssertionError(f"the crowd {name} did not connect: "
                                     + (self._host.folder / "log" / f"{name}.log").read_text())

    def stop(self) -> None:
        self._host.signal("TERM", self._pid)
        waiting = Eventually()
        while self._runs():
            if waiting.over():
                raise AssertionError("the crowd did not end")

    def _runs(self) -> bool:
        return self._host.run(["kill", "-0", str(self._pid)]).status == 0

    def events(self) -> list[list[str]]:
        if not self._log.exists():
            return []
        text = self._log.read_text("utf-8")
        return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]

    def connection_ids(self) -> set[int]:
        """Of all connections so far, on whichever server."""
        return {int(event[2]) for event in self.events() if event[0] == "open"}

    def acknowledged(self) -> dict[tuple[int, int], float]:
        """(writer, number) and when, in seconds of time.monotonic()."""
        return {(int(event[2]), int(event[3])): int(event[1]) / 1e9
                for event in self.events() if event[0] == "ack"}

    def lost(self, server: str) -> set[tuple[int, int]]:
        """Acknowledged rows that the server does not have."""
        there = {(row["writer"], row["number"])
                 for row in self._lab.sql(server, "SELECT writer, number FROM lab.crowd")}
        return set(self.acknowledged()) - there

    def twice(self, server: str) -> list[dict]:
        """Rows that the server has more than once: applied again."""
        return self._lab.sql(server, "SELECT writer, number, COUNT(*) FROM lab.crowd "
                             "GROUP BY writer, number HAVING COUNT(*) > 1")

    def wait_for_writes(self, count: int) -> None:
        wanted = len(self.acknowledged()) + count
        waiting = Eventually()
        while len(self.acknowledged()) < wanted:
            if waiting.over():
                raise AssertionError(f"the crowd got no {count} acknowledgements more")


def make_table(lab: Lab) -> None:
    """No key forbids a row to be there twice."""
    lab.sql("db1", "CREATE TABLE lab.crowd (id BIGINT AUTO_INCREMENT PRIMARY KEY, writer INT, "
            "number BIGINT)")
    lab.wait_until_replicating()
