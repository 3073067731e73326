"""What must hold after a run, whatever happened in it. Each check gives a line for each violation."""

import json
import time
from collections.abc import Iterator

import chaos_state
from chaos_run import HOOK_BOUND, LASTING, Performance, may_take
from chaos_scene import Scene
from halab import direct, options
from support import DONE, INCOMPLETE, NOT_UNDONE, UNDONE, Eventually

CONFIGURATION = 3
_HOST_OF_NUMBER = {number: host for host, number in options.HOST_NUMBERS.items()}


def violations(scene: Scene, seen: Performance) -> list[str]:
    found = []
    for check in (_ended_in_time, _exit_code, _one_writer, _done_is_done, _undone_is_undone,
                  _rolled_back_is_rolled_back, _what_is_left_is_named, _ends_with_a_master, _nothing_lost):
        found += check(scene, seen)
    return found


def _others_acted(seen: Performance) -> bool:
    """A second copy, or masterha_manager, did what the first did not."""
    return any(outcome.status in (DONE, INCOMPLETE) for outcome in seen.beside)


def _ended_in_time(_: Scene, seen: Performance) -> Iterator[str]:
    """Our programs: of MHA's runs, our hooks."""
    for call in seen.hooks:
        if call.end - call.begin > HOOK_BOUND:
            yield (f"{call.program} {call.arguments[0]} ran for {call.end - call.begin:.0f} s; "
                   f"{HOOK_BOUND:.0f} are its bound")
    for hook in seen.hooks_at_end:
        yield f"MHA still waited for {hook}"
    if seen.case.by_mha:
        return
    bound = may_take(seen.case)
    for outcome in (seen.outcome, *seen.answers, *seen.beside):
        if outcome.command[0] == "masterha_manager":
            continue
        if outcome.end - outcome.begin > bound:
            yield f"a program ran for {outcome.end - outcome.begin:.0f} s; {bound:.0f} are its bound"


def _exit_code(_: Scene, seen: Performance) -> Iterator[str]:
    """One of those that the README has, and the same in the report."""
    if seen.killed or seen.given_up:
        return
    known = [DONE, INCOMPLETE, UNDONE, NOT_UNDONE]
    if any(fault.name == "dns-dead" for fault in seen.case.faults):
        known.append(CONFIGURATION)  # names that nobody knows are the configuration's fault
    if seen.outcome.status not in known:
        yield f"exit code {seen.outcome.status}"
    if seen.case.by_mha:
        return
    if seen.document is None:
        yield "there is no JSON document"
    elif seen.document.get("exit_code") != seen.outcome.status:
        yield f"exit code {seen.outcome.status}, and its document says {seen.document['exit_code']}"


def _one_writer(scene: Scene, seen: Performance) -> Iterator[str]:
    """Servers took rows one after the other, and none again whose turn was over."""
    said = seen.outcome.output + "".join(answer.output for answer in seen.answers)
    for what, masters, warning in (
            ("directly", direct.reigns(seen.taken), "it may still run"),
            ("through the virtual IP", _served(scene), "NOT FENCED")):
        if len(masters) != len(set(masters)) and not (warning in said or "NOT FENCED" in said):
            yield f"rows were taken {what} by {masters}: one came back"
        if len(set(masters)) > 2:
            yield f"rows were taken {what} by {masters}"


def _served(scene: Scene) -> list[str]:
    """Of the client of the virtual IP: the servers of its acknowledged rows."""
    journal = scene.lab.writer.journal()
    events = sorted([(when, "to", number) for when, number in journal.connections]
                    + [(when, "ack", number) for when, number in journal.acknowledged])
    masters: list[str] = []
    server = ""
    for _, kind, number in events:
        if kind == "to":
            server = _HOST_OF_NUMBER[number]
        elif server and (not masters or masters[-1] != server):
            masters.append(server)
    return masters


def _done_is_done(scene: Scene, seen: Performance) -> Iterator[str]:
    """0 and 10: the new master takes writes; 0: it has the address, and all that live follow."""
    last = seen.answers[-1] if seen.answers else seen.outcome
    if last.status not in (DONE, INCOMPLETE) or last.command[-1] == "--rollback":
        return
    new = _new_master(seen)
    server = seen.final.servers.get(new)
    if new in seen.forgetful():
        return
    if server is None or server.variables["read_only"] not in ("OFF", "0"):
        yield f"exit code {last.status}, and {new} does not take writes: {server}"
        return
    if last.status == DONE:
        if new not in seen.final.vip_holders:
            yield f"exit code 0, and the address is on {seen.final.vip_holders}"
        yield from _followers(scene, seen, new)


def _new_master(seen: Performance) -> str:
    """As it was reported, where somebody could."""
    if not seen.answers and seen.document is not None and seen.document.get("new_master"):
        return seen.document["new_master"].partition(":")[0]
    return seen.final.master() or seen.hosts["next"]


def _followers(scene: Scene, seen: Performance, new: str) -> Iterator[str]:
    names = (new, options.address_v4(options.HOST_NUMBERS[new]))
    wanted = [host for host in seen.hosts.values() if host != new
              and (seen.case.is_switch or host != seen.hosts["orig"])]
    # One that took the locks when we gave them back has stopped all receivers, and then has seen
    # that it came too late; MHA leaves it at that.
    stopped_by_mha = "Stopping IO thread failed" in scene.lab.mha.manager_log()
    waiting = Eventually(10)
    while True:
        state = chaos_state.read(scene.lab)
        astray = [host for host in wanted if state.servers[host] is not None
                  and (state.servers[host].source not in names
                       or (state.servers[host].threads != ("Yes", "Yes") and not stopped_by_mha))]
        if not astray:
            return
        if waiting.over():
            for host in astray:
                server = state.servers[host]
                yield (f"exit code 0, and {host} does not follow {new}: {server.source} "
                       f"{server.threads}")
            return


def _undone_is_undone(_: Scene, seen: Performance) -> Iterator[str]:
    """20: everything is as it was found."""
    if seen.outcome.status != UNDONE or _others_acted(seen):
        return
    for key, text in seen.changes(seen.after).items():
        yield f"exit code 20, and {key}: {text}"


def _rolled_back_is_rolled_back(_: Scene, seen: Performance) -> Iterator[str]:
    if _others_acted(seen):
        return
    for key, text in seen.not_rolled_back.items():
        yield f"--rollback ended with 0, and {key}: {text}"


def _what_is_left_is_named(_: Scene, seen: Performance) -> Iterator[str]:
    """10 and 21: the report has something to do, and 21 names each host that is not as found."""
    if seen.outcome.status not in (INCOMPLETE, NOT_UNDONE) or seen.document is None:
        return
    leftovers = json.dumps(seen.document.get("leftovers", []))
    if leftovers == "[]":
        yield f"exit code {seen.outcome.status}, and nothing is said to be left"
    if seen.outcome.status == NOT_UNDONE and not _others_acted(seen):
        for key, text in seen.changes(seen.after).items():
            host = seen.hosts["orig"] if key == "vip" else key.split()[0]
            if host not in leftovers:
                yield f"exit code 21, and {key} ({text}) is not among what is left: {leftovers}"


def _ends_with_a_master(scene: Scene, seen: Performance) -> Iterator[str]:
    """Where somebody answered for it, one server takes writes and has the address."""
    if any(fault.name in LASTING for fault in seen.case.faults):
        return
    if seen.outcome.status == NOT_UNDONE and not seen.answers:
        return
    last = seen.answers[-1] if seen.answers else seen.outcome
    # A server that could not be killed goes on without the address, and that is said.
    if last.status == INCOMPLETE or "it may still run" in last.output:
        return
    waiting = Eventually(5)
    while not chaos_state.read(scene.lab).master():
        if waiting.over():
            yield (f"after {last.command[-1]} (exit {last.status}) there is not one master with "
                   f"the address: {chaos_state.read(scene.lab)}")
            return
    if seen.answers and last.status not in (DONE, INCOMPLETE):
        yield f"{' '.join(last.command[-2:])} ended with {last.status}, with nothing in its way"


def _nothing_lost(scene: Scene, seen: Performance) -> Iterator[str]:
    """Acknowledged rows are on the master; those that a failover could not have, it says."""
    holders = _holders(scene, seen)
    numbers = {number for _, number in scene.lab.writer.journal().acknowledged}
    there: set[int] = set()
    crowd: set[tuple[int, int]] = set()
    for host in holders:
        there |= {row["number"] for row in scene.lab.database(host).sql(
            "SELECT number FROM lab.written", timeout=30)}
        crowd |= {(row["writer"], row["number"]) for row in scene.lab.database(host).sql(
            "SELECT writer, number FROM lab.crowd", timeout=30)}
    lost = len(numbers - there) + len(seen.crowd - crowd)
    if not lost or (not seen.case.is_switch and _says_so(seen)):
        return
    yield f"{lost} acknowledged rows are not on {holders}"


def _holders(scene: Scene, seen: Performance) -> list[str]:
    """Where acknowledged rows may be: on the master; where nobody leads, on any server."""
    if seen.reached.get("disk-full-server"):
        _wait_for_full_disk(scene)
    master = chaos_state.read(scene.lab).master()
    if master:
        return [master]
    # What only the disk of a dead one has is there for whoever brings it up.
    for host in seen.hosts.values():
        if scene.lab.hosts[host].running and scene.lab.database(host).pid() is None:
            scene.lab.start_mysqld(host)
    servers = chaos_state.read(scene.lab).servers
    return [host for host, server in servers.items() if server is not None]


def _wait_for_full_disk(scene: Scene) -> None:
    """A server that waits for room looks once a minute."""
    waiting = Eventually(90)
    while True:
        state = chaos_state.read(scene.lab)
        hanging = [host for host, server in state.servers.items()
                   if server is None and scene.lab.hosts[host].running
                   and scene.lab.database(host).pid() is not None]
        if not hanging or waiting.over():
            return
        time.sleep(1)


def _says_so(seen: Performance) -> bool:
    """A failover's report names what it lost, or why it could not look at the dead master's logs."""
    if seen.case.operation == "failover-gone":
        return True
    documents = [seen.document or {}]
    text = seen.outcome.output + "".join(answer.output for answer in seen.answers)
    return any(document.get("lost") for document in documents) or "salvage" in text.lower()
