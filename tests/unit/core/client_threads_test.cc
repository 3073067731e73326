// Who is a client, and who must never be touched.
#include "core/client_threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ServerThread thread(std::uint64_t id, const std::string& user, const std::string& command) {
  return {id, user, "10.0.0.5:4000", command, 0, "", ""};
}

std::vector<std::uint64_t> clients_among(const std::vector<ServerThread>& threads,
                                         const std::vector<std::uint64_t>& spared = {}) {
  std::vector<std::uint64_t> ids;
  for (const ServerThread& client : client_threads(threads, spared)) ids.push_back(client.id);
  return ids;
}

TEST(ClientThreadsTest, ReplicationIsSpared) {
  EXPECT_THAT(
      clients_among({thread(1, "repl", "Binlog Dump"), thread(2, "repl", "Binlog Dump GTID"),
                     thread(3, "system user", "Connect"), thread(4, "system user", "Query"),
                     thread(5, "system user", "Slave_IO"), thread(6, "system user", "Slave_SQL"),
                     thread(7, "system user", "Slave_worker"),
                     thread(8, "system user", "Group replication applier")}),
      IsEmpty());
}

TEST(ClientThreadsTest, DaemonsAreSpared) {
  EXPECT_THAT(clients_among({thread(1, "event_scheduler", "Daemon"), thread(2, "root", "Daemon"),
                             thread(3, "event_scheduler", "Connect")}),
              IsEmpty());
}

TEST(ClientThreadsTest, EverybodyElseIsAClient) {
  EXPECT_THAT(
      clients_among({thread(1, "app", "Sleep"), thread(2, "app", "Query"),
                     thread(3, "root", "Sleep"), thread(4, "repl", "Sleep"),
                     thread(5, "app", "Binlog"), thread(6, "unauthenticated user", "Connect"),
                     thread(7, "system users", "Sleep"), thread(8, "", "Sleep")}),
      ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(ClientThreadsTest, NamedThreadsAreSpared) {
  EXPECT_THAT(clients_among(
                  {thread(1, "app", "Sleep"), thread(2, "mha", "Sleep"), thread(3, "app", "Query")},
                  {2, 99}),
              ElementsAre(1, 3));
}

TEST(ClientThreadsTest, MhaHoldsTheseLocks) {
  EXPECT_THAT(mha_lock_names(), ElementsAre("MHA_Master_High_Availability_Monitor",
                                            "MHA_Master_High_Availability_Failover"));
}

TEST(ClientThreadsTest, ASummaryNamesFiveAndCountsTheRest) {
  std::vector<ServerThread> threads;
  EXPECT_EQ(summarize_threads(threads), "");
  for (std::uint64_t id = 1; id <= 5; ++id) threads.push_back(thread(id, "app", "Sleep"));
  EXPECT_EQ(summarize_threads(threads),
            "1 app@10.0.0.5:4000, 2 app@10.0.0.5:4000, 3 app@10.0.0.5:4000, "
            "4 app@10.0.0.5:4000, 5 app@10.0.0.5:4000");
  threads.push_back(thread(6, "app", "Sleep"));
  threads.push_back(thread(7, "app", "Sleep"));
  EXPECT_THAT(summarize_threads(threads), testing::EndsWith("5 app@10.0.0.5:4000 and 2 more"));
}

}  // namespace
}  // namespace mha
