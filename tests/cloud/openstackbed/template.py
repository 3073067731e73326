"""What is made once and copied for each start: databases with the world in them."""
import fcntl
import json
import os
import shutil
import sqlite3

from .commands import say
from .packages import fetch
from .servers import Servers
from .world import ADMIN_PASSWORD, make_world, register_neutron

FORMAT = "1"  # of the template: another number makes a new one
# In the template's databases; the ports are other ones at each start.
KEYSTONE = "http://127.0.0.1:11111/v3"
NEUTRON = "http://127.0.0.1:22222"


# "neutron-db-manage upgrade heads" does not run on SQLite (it cannot alter constraints): the schema
# comes from the models, as in Neutron's own unit tests.
MAKE_SCHEMA = """
import sys, sqlalchemy
from neutron.db.migration.models import head
head.get_metadata().create_all(sqlalchemy.create_engine(sys.argv[1]))
"""


def make_template(root, template):
    say("making the databases and the world in them (20 s, once)")
    folder = template + ".new"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("fernet", "cred"):
        os.makedirs(os.path.join(folder, name), mode=0o700)
    servers = Servers(root, folder)
    servers.write_configuration()
    manage = [f"{root}/usr/bin/keystone-manage", "--config-file", f"{folder}/keystone.conf"]
    owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    servers.python(*manage, "db_sync")
    servers.python(*manage, "fernet_setup", *owner)
    servers.python(*manage, "credential_setup", *owner)
    servers.python(*manage, "bootstrap", "--bootstrap-password", ADMIN_PASSWORD, "--bootstrap-region-id",
                   "RegionOne", *(word for kind in ("public", "internal", "admin")
                                  for word in (f"--bootstrap-{kind}-url", servers.keystone)))
    servers.python("-c", MAKE_SCHEMA, f"sqlite:///{folder}/neutron.db")
    for name in ("keystone.db", "neutron.db"):  # kept in the file; else "database is locked" now and then
        with sqlite3.connect(os.path.join(folder, name)) as database:
            database.execute("pragma journal_mode=wal")
        database.close()
    try:
        servers.start_keystone()
        servers.wait_until_they_answer(servers.keystone)
        register_neutron(servers)
        servers.start_neutron()
        servers.wait_until_they_answer(servers.neutron)
        world = make_world(servers)
    finally:
        servers.stop()
    move_urls(folder, (servers.keystone, servers.neutron), (KEYSTONE, NEUTRON))
    with open(os.path.join(folder, "world.json"), "w", encoding="utf-8") as file:
        json.dump(world, file, indent=1)
    os.rename(folder, template)


def move_urls(folder, old, new):
    """The catalog's URLs are in Keystone's database."""
    database = sqlite3.connect(os.path.join(folder, "keystone.db"))
    with database:
        for before, after in zip(old, new):
            database.execute("update endpoint set url = replace(url, ?, ?)", (before, after))
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()


def prepare(cache):
    """Root and template, made by one process while others wait."""
    os.makedirs(cache, mode=0o700, exist_ok=True)
    root = os.path.join(cache, "root")
    template = os.path.join(cache, f"template-{FORMAT}")
    with open(os.path.join(cache, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(root):
            fetch(cache)
        if not os.path.isdir(template):
            make_template(root, template)
    return root, template
