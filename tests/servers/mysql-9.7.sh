# MySQL 9.7 from Debian unstable, with its client and mysqlbinlog. Sourced by fetch.

make_folder() {
  unpack_debian sid mysql-server-core mysql-client-core
  keep sbin/mysqld bin/mysql bin/mysqlbinlog bin/mysqladmin bin/mysqldump lib/mysql share/mysql
  bind_programs sbin/mysqld bin/mysql bin/mysqlbinlog bin/mysqladmin bin/mysqldump
  require_version sbin/mysqld "9.7."
}

make_data() {
  "$folder/sbin/mysqld" --no-defaults --initialize-insecure --basedir="$folder" --datadir="$folder/data" \
    --lc-messages-dir="$folder/share/mysql" --character-sets-dir="$folder/share/mysql/charsets" \
    --user="$(id -un)" --disable-log-bin --mysqlx=0 --innodb-buffer-pool-size=64M --innodb-redo-log-capacity=32M
}
