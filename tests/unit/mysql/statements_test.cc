// Which family a server is of, and the statements that follow from it.
#include "mysql/statements.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

TEST(Statements, FamilyIsWhatTheServerSays) {
  EXPECT_EQ(family_of("10.11.14-MariaDB-0+deb12u2", "Debian 12"), ServerFamily::kMariadb);
  EXPECT_EQ(family_of("11.8.2", "mariadb.org binary distribution"), ServerFamily::kMariadb);
  EXPECT_EQ(family_of("8.0.36", "MySQL Community Server - GPL"), ServerFamily::kMysql);
  EXPECT_EQ(family_of("8.0.36-28", "Percona Server (GPL), Release 28"), ServerFamily::kMysql);
}

TEST(Statements, VersionNumber) {
  EXPECT_EQ(version_number_of("10.11.14-MariaDB-0+deb12u2"), 101114U);
  EXPECT_EQ(version_number_of("9.7.4"), 90704U);
  EXPECT_EQ(version_number_of("5.6.24-log"), 50624U);
  EXPECT_EQ(version_number_of("8.4"), 80400U);
  EXPECT_EQ(version_number_of("8.0.x"), 80000U);
  EXPECT_EQ(version_number_of(""), 0U);
  EXPECT_EQ(version_number_of("MySQL"), 0U);
}

TEST(Statements, LocksAreAskedForByFamily) {
  ServerIdentity mariadb{ServerFamily::kMariadb, "", 101114, 1, 1};
  ServerIdentity mysql{ServerFamily::kMysql, "", 80036, 1, 1};
  EXPECT_EQ(statements_for(mariadb).lock_sources.size(), 2U);
  EXPECT_EQ(statements_for(mysql).lock_sources.size(), 1U);
  EXPECT_NE(statements_for(mysql).lock_sources[0].holders,
            statements_for(mariadb).lock_sources[0].holders);
  // max_statement_time is MariaDB's alone.
  EXPECT_NE(statements_for(mariadb).session_settings.find("max_statement_time"),
            std::string_view::npos);
  EXPECT_EQ(statements_for(mysql).session_settings.find("max_statement_time"),
            std::string_view::npos);
}

TEST(SetReadOnly, OnAServerWithoutSuperReadOnly) {
  const ReadOnlyState off{ReadOnly::kOff, std::nullopt};
  const ReadOnlyState on{ReadOnly::kOn, std::nullopt};
  const ReadOnlyState no_lock{ReadOnly::kNoLock, std::nullopt};
  EXPECT_EQ(set_read_only_sql(off, on), "SET GLOBAL read_only='ON'");
  EXPECT_EQ(set_read_only_sql(on, off), "SET GLOBAL read_only='OFF'");
  EXPECT_EQ(set_read_only_sql(on, no_lock), "SET GLOBAL read_only='NO_LOCK'");
}

TEST(SetReadOnly, OneStatementReachesBothVariables) {
  const ReadOnlyState off{ReadOnly::kOff, false};
  const ReadOnlyState on{ReadOnly::kOn, false};
  const ReadOnlyState super{ReadOnly::kOn, true};
  EXPECT_EQ(set_read_only_sql(off, on), "SET GLOBAL read_only='ON'");
  EXPECT_EQ(set_read_only_sql(off, super), "SET GLOBAL super_read_only=ON");
  EXPECT_EQ(set_read_only_sql(on, super), "SET GLOBAL super_read_only=ON");
  EXPECT_EQ(set_read_only_sql(super, on), "SET GLOBAL super_read_only=OFF");
  EXPECT_EQ(set_read_only_sql(super, off), "SET GLOBAL read_only='OFF'");
}

}  // namespace
}  // namespace mha
