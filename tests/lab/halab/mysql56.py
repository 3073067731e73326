"""MySQL 5.6: position replication as MHA knows it, or GTIDs with auto-position."""

from halab.database import Database


class Mysql56(Database):
    program = "mysqld"
    share = "mysql"
    log_name = "mysql.err"
    # The size of the redo log is that of the data directory of tests/servers/fetch.
    family_settings = {
        "log_slave_updates": "1", "binlog_format": "ROW", "innodb_log_file_size": "16M",
        "slave_net_timeout": "10", "explicit_defaults_for_timestamp": "1",
    }
    gtid_settings = {"on": {"gtid_mode": "ON", "enforce_gtid_consistency": "1"},
                     "off": {"gtid_mode": "OFF"}}

    def replicate_from(self, source: str, position: tuple[str, int]) -> None:
        account = self._options.replication_account
        where = "master_log_file=%s, master_log_pos=%s"
        place: tuple = position
        if self._options.gtid == "on":
            where, place = "master_auto_position=1", ()
        self.sql("CHANGE MASTER TO master_host=%s, master_port=%s, master_user=%s, "
                 f"master_password=%s, master_connect_retry=1, {where}",
                 (source, self._options.port, account.user, account.password, *place))
        self.sql("START SLAVE")

    def gtids(self) -> str:
        return self.sql("SELECT @@GLOBAL.gtid_executed AS value")[0]["value"]
