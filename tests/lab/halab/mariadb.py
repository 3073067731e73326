"""MariaDB: Debian 12's own or a fetched one."""

import pathlib

from halab.database import Database
from halab.sandbox import INSIDE, Sandbox, write_file

_TEMPLATE = INSIDE / "template"
_TEMPORARY = INSIDE / "template.tmp"


def make_template(sandbox: Sandbox) -> pathlib.PurePosixPath:
    """A data directory of the installed server: half a second, so it is not kept."""
    conf = INSIDE / "template.cnf"
    # In /tmp the servers of two labs, which have the same number, take each other's files away.
    sandbox.run(["install", "-d", "-o", "mysql", str(_TEMPORARY)])
    write_file(sandbox.path(conf), f"[mariadbd]\nuser=mysql\ntmpdir={_TEMPORARY}\n"
               f"innodb_log_file_size={MariaDb.family_settings['innodb_log_file_size']}\n")
    sandbox.run(["mariadb-install-db", f"--defaults-file={conf}", f"--datadir={_TEMPLATE}",
                 "--auth-root-authentication-method=socket", "--skip-test-db",
                 "--skip-name-resolve"])
    return _TEMPLATE


def remove_template(sandbox: Sandbox) -> None:
    sandbox.run(["rm", "-rf", str(_TEMPLATE), str(_TEMPORARY)])


class MariaDb(Database):
    program = "mariadbd"
    share = "mariadb"
    log_name = "mariadb.err"
    family_settings = {
        "performance_schema": "0", "log_slave_updates": "1", "binlog_format": "ROW",
        "innodb_log_file_size": "16M", "slave_net_timeout": "10",
    }

    def replicate_from(self, source: str, position: tuple[str, int]) -> None:
        account = self._options.replication_account
        where = "master_log_file=%s, master_log_pos=%s, master_use_gtid=no"
        place: tuple = position
        if self._options.gtid == "on":
            where, place = "master_use_gtid=slave_pos", ()
        self.sql("CHANGE MASTER TO master_host=%s, master_port=%s, master_user=%s, "
                 f"master_password=%s, master_connect_retry=1, {where}",
                 (source, self._options.port, account.user, account.password, *place))
        self.sql("START SLAVE")

    def gtids(self) -> str:
        if self._options.gtid == "off":
            return ""
        return self.sql("SELECT @@GLOBAL.gtid_current_pos AS value")[0]["value"]
