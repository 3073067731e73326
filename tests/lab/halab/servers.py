"""Which database servers a lab can have, of which family each is, and where it lies."""

import functools
import pathlib
import subprocess

from halab import options
from halab.database import Database
from halab.errors import LabError
from halab.hosts import Host
from halab.mariadb import MariaDb
from halab.mysql56 import Mysql56
from halab.mysql84 import Mysql84

# Debian 12's package. All others are fetched.
INSTALLED = options.DEFAULT_SERVER

_FAMILIES: dict[str, type[Database]] = {
    INSTALLED: MariaDb, "mariadb-11.8": MariaDb, "mysql-5.6": Mysql56, "mysql-9.7": Mysql84,
}
NAMES = tuple(_FAMILIES)


@functools.cache
def folder(name: str) -> pathlib.Path | None:
    """Where a fetched server is (it is fetched now, if it never was); None for the installed one."""
    if name == INSTALLED:
        return None
    script = options.PROJECT / "tests" / "servers" / "fetch"
    done = subprocess.run([str(script), name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{name} could not be fetched (exit {done.returncode}): see above")
    return pathlib.Path(done.stdout.strip())


def require(name: str) -> None:
    if name not in _FAMILIES:
        raise LabError(f"no server {name!r}: the lab knows {', '.join(NAMES)}")


def mysqlbinlog(name: str) -> pathlib.Path | None:
    """The program of that name that such a server's hosts have instead of this machine's.

    Debian's is MariaDB's, which drops the GTIDs of MySQL's binary logs; 5.6 comes without its own.
    """
    if not name.startswith("mysql-"):
        return None
    return folder("mysql-9.7") / "bin" / "mysqlbinlog"


def database(host: Host, chosen: options.LabOptions) -> Database:
    return _FAMILIES[chosen.server](host, chosen)
