#!/usr/bin/python3
"""OpenStack's network for a floating IP (fabric.py).

usage: openstack_network.py DATABASE FLOATING_IP_ID ADDRESS NAMESPACE PORT=LINK_ADDRESS...

Where it leads is read from Neutron's own database, as its agents are told by a message queue that
the bed does not have. Neutron serves one request at a time there: one that asks often would be in
the way of everybody else. A reader of the database (its journal is a write-ahead log) is not.
"""

import sqlite3
import sys

import fabric


def main() -> None:
    path, floating, address, space, *machines = sys.argv[1:]
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def holder() -> str:
        found = database.execute("SELECT fixed_port_id FROM floatingips WHERE id = ?",
                                 (floating,)).fetchone()
        return (found[0] or "") if found else ""

    fabric.follow(holder, address, space, machines)


if __name__ == "__main__":
    main()
