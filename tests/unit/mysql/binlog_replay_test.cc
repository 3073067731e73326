// Which statements of a mysqlbinlog's output are not for this server.
#include "mysql/binlog_replay.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

TEST(BinlogReplayTest, CommentsForNewerServersAreKnown) {
  EXPECT_TRUE(is_for_newer_mysql("/*!80001 SET @@session.original_commit_timestamp=0*/", 50624));
  EXPECT_TRUE(is_for_newer_mysql("/*!080014 SET @@session.original_server_version=90704*/", 50744));
  EXPECT_FALSE(is_for_newer_mysql("/*!80001 SET @@session.original_commit_timestamp=0*/", 80036));
  EXPECT_FALSE(is_for_newer_mysql("/*!50003 SET COMPLETION_TYPE=0*/", 50624));
}

TEST(BinlogReplayTest, WhatHoldsMoreThanSuchACommentIsSent) {
  EXPECT_FALSE(is_for_newer_mysql("/*!80001 SET @a=1*/ SET @b=2 /* x */", 50624));
  EXPECT_FALSE(is_for_newer_mysql("INSERT INTO t VALUES (1) /*!80001 x*/", 50624));
  EXPECT_FALSE(is_for_newer_mysql("/*! SET @a=1*/", 50624));
  EXPECT_FALSE(is_for_newer_mysql("BEGIN", 50624));
  EXPECT_FALSE(is_for_newer_mysql("", 50624));
}

}  // namespace
}  // namespace mha
