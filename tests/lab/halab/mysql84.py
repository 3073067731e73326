"""MySQL 8.4 and newer: sources and replicas, where all others have masters and slaves."""

from halab.database import Database

# The renamed columns of SHOW REPLICA STATUS, part by part.
_FORMER_WORDS = (("Source", "Master"), ("Replica", "Slave"))


class Mysql84(Database):
    program = "mysqld"
    share = "mysql"
    log_name = "mysql.err"
    # Debian's build wants a folder of the machine for files, which is not there.
    family_settings = {
        "replica_net_timeout": "10", "mysqlx": "0", "secure_file_priv": "NULL",
        "innodb_redo_log_capacity": "32M",
    }
    gtid_settings = {"on": {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"},
                     "off": {"gtid_mode": "OFF"}}
    replica_word = "REPLICA"

    def replica_status(self, timeout: float = 5.0) -> dict | None:
        rows = self.sql("SHOW REPLICA STATUS", timeout=timeout)
        return {_former(name): value for name, value in rows[0].items()} if rows else None

    def position(self) -> tuple[str, int]:
        row = self.sql("SHOW BINARY LOG STATUS")[0]
        return row["File"], int(row["Position"])

    def replicate_from(self, source: str, position: tuple[str, int]) -> None:
        """Over TLS, which is the default there, and with the key that logins need without it."""
        account = self._options.replication_account
        where = "SOURCE_LOG_FILE=%s, SOURCE_LOG_POS=%s, SOURCE_AUTO_POSITION=0"
        place: tuple = position
        if self._options.gtid == "on":
            where, place = "SOURCE_AUTO_POSITION=1", ()
        self.sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, "
                 "SOURCE_PASSWORD=%s, SOURCE_CONNECT_RETRY=1, SOURCE_SSL=1, "
                 f"GET_SOURCE_PUBLIC_KEY=1, {where}",
                 (source, self._options.port, account.user, account.password, *place))
        self.sql("START REPLICA")

    def gtids(self) -> str:
        return self.sql("SELECT @@GLOBAL.gtid_executed AS value")[0]["value"]


def _former(name: str) -> str:
    for new, former in _FORMER_WORDS:
        name = name.replace(new, former)
    return name
