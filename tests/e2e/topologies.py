"""Other topologies than one master with two replicas, made of a lab by its own means."""

from support import Lab, options


def _position(lab: Lab, host: str) -> tuple[str, int]:
    return lab.database(host).position()


def third_tier(lab: Lab) -> None:
    """db3 replicates from db2, which replicates from db1. Nobody writes meanwhile."""
    lab.wait_until_replicating()
    lab.database("db3").stop_replica()
    lab.database("db3").replicate_from("db2", _position(lab, "db2"))
    lab.wait_until_replicating()


def dual_master(lab: Lab) -> None:
    """db1 replicates from db2 as well, which is read-only. Nobody writes meanwhile."""
    lab.wait_until_replicating()
    lab.database("db1").replicate_from("db2", _position(lab, "db2"))
    wait_until_db1_replicates(lab)


def wait_until_db1_replicates(lab: Lab) -> None:
    """The lab's own wait asks only servers that are read-only."""
    master = lab.database(options.FIRST_MASTER)
    master.wait_for(lab.database("db2").position())
