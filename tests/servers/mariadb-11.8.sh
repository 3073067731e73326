# MariaDB 11.8 from Debian 13, with its client and mariadb-binlog. Sourced by fetch.

make_folder() {
  unpack_debian trixie mariadb-server-core mariadb-client-core mariadb-client
  keep sbin/mariadbd bin/mariadb bin/mariadb-binlog bin/mariadb-admin bin/mariadb-dump \
    bin/mariadb-install-db bin/my_print_defaults bin/resolveip share/mariadb
  bind_programs sbin/mariadbd bin/mariadb bin/mariadb-binlog bin/mariadb-admin bin/mariadb-dump \
    bin/my_print_defaults bin/resolveip
  require_version sbin/mariadbd "11.8."
}

make_data() {
  mkdir "$folder/data"
  "$folder/bin/mariadb-install-db" --no-defaults --rpm --basedir="$folder" --datadir="$folder/data" \
    --lc-messages-dir="$folder/share/mariadb" --auth-root-authentication-method=normal --skip-test-db \
    --skip-name-resolve --user="$(id -un)" --innodb-log-file-size=16M
}
