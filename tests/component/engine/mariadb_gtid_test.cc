// MariaDB's positions and binary log states against real servers, which print, take and wait for
// them.
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/mariadb_binlog_state.h"
#include "engine/mariadb_gtid_set.h"
#include "server_test.h"

namespace mha {
namespace {

class MariadbGtidServerTest : public ServerTest {
 protected:
  void TearDown() override {
    client_.execute("SET GLOBAL gtid_slave_pos=''");
    client_.execute("RESET MASTER");
  }

  std::size_t up_to(std::size_t most) { return random_() % (most + 1); }
  std::string random_gtid(std::size_t domain) {
    return std::to_string(domain) + "-" + std::to_string(1 + up_to(2)) + "-" +
           std::to_string(1 + up_to(3));
  }
  // One GTID a domain, in any order.
  std::string random_position() {
    std::vector<std::size_t> domains{0, 1, 7, 300};
    std::ranges::shuffle(domains, random_);
    domains.resize(up_to(4));
    std::string text;
    for (const std::size_t domain : domains) {
      text += (text.empty() ? "" : ",") + random_gtid(domain);
    }
    return text;
  }
  MariadbGtidPosition position(const std::string& text) {
    const Result<MariadbGtidPosition> parsed = MariadbGtidPosition::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
    return parsed.ok() ? parsed.value() : MariadbGtidPosition{};
  }
  MariadbBinlogState state(const std::string& text) {
    const Result<MariadbBinlogState> parsed = MariadbBinlogState::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
    return parsed.ok() ? parsed.value() : MariadbBinlogState{};
  }
  bool set_global(const std::string& variable, const std::string& text) {
    return client_.execute("SET GLOBAL " + variable + "=" + quoted(text));
  }

  std::mt19937 random_{20240303};  // NOLINT: the same in every run
};

TEST_P(MariadbGtidServerTest, PositionsAsTheServerPrintsThem) {
  for (int round = 0; round < 60; ++round) {
    const std::string text = random_position();
    ASSERT_TRUE(set_global("gtid_slave_pos", text)) << text;
    const std::string printed = ask("SELECT @@GLOBAL.gtid_slave_pos");
    ASSERT_EQ(position(text).text(), printed);
    ASSERT_TRUE(set_global("gtid_slave_pos", ""));
    ASSERT_TRUE(set_global("gtid_slave_pos", position(text).text()));
    ASSERT_EQ(ask("SELECT @@GLOBAL.gtid_slave_pos"), printed);
  }
}

TEST_P(MariadbGtidServerTest, PositionsTakenAndRefusedAsByTheServer) {
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string text = random_position();
    for (std::size_t change = 1 + up_to(1); change > 0 && !text.empty(); --change) {
      const std::size_t at = up_to(text.size() - 1);
      if (up_to(1) == 0) {
        text.erase(at, 1);
      } else {
        text.insert(at, 1, "-,09 \t\n\v\f\rx"[up_to(10)]);
      }
    }
    const Result<MariadbGtidPosition> parsed = MariadbGtidPosition::parse(text);
    ASSERT_EQ(set_global("gtid_slave_pos", text), parsed.ok()) << "'" << text << "'";
    if (parsed.ok()) {
      ASSERT_EQ(ask("SELECT @@GLOBAL.gtid_slave_pos"), parsed.value().text()) << "'" << text << "'";
    }
    refused += parsed.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 450);
}

// The server waits for numbers and does not look at who wrote: where we say that everything is
// there, it does not wait, and where it does not wait, we say so unless two servers gave the same
// number.
TEST_P(MariadbGtidServerTest, StandingAsMasterGtidWaitSees) {
  std::map<bool, int> seen;
  for (int round = 0; round < 120; ++round) {
    const MariadbGtidPosition own = position(random_position());
    const MariadbGtidPosition wanted = position(random_position());
    SCOPED_TRACE(own.text() + " beside " + wanted.text());
    ASSERT_TRUE(set_global("gtid_slave_pos", own.text()));
    const bool there = ask("SELECT MASTER_GTID_WAIT(" + quoted(wanted.text()) + ", 0)") == "0";
    bool same_number = false;
    for (const auto& [domain, gtid] : wanted.domains()) {
      const auto ours = own.at(domain);
      same_number |= ours.has_value() && ours->seqno == gtid.seqno && ours->server != gtid.server;
    }
    ASSERT_EQ(own.has_everything_up_to(wanted), there && !same_number);
    ++seen[own.has_everything_up_to(wanted)];
  }
  EXPECT_GT(seen[false], 10);
  EXPECT_GT(seen[true], 10);
}

// Random servers write into random domains; what the server then says of its log is what was
// written.
TEST_P(MariadbGtidServerTest, StateOfWhatWasWritten) {
  ASSERT_TRUE(client_.execute("RESET MASTER"));
  ASSERT_TRUE(client_.execute("CREATE OR REPLACE TABLE shop.notes (n INT)"));
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last;
  std::map<std::uint32_t, MariadbGtid> newest;
  const MariadbGtidPosition first = position(ask("SELECT @@GLOBAL.gtid_binlog_pos"));
  for (const auto& [domain, gtid] : first.domains()) {
    last[{domain, gtid.server}] = gtid.seqno;
    newest[domain] = gtid;
  }
  ASSERT_EQ(newest.size(), 1U);
  for (int round = 0; round < 60; ++round) {
    const auto domain = static_cast<std::uint32_t>(up_to(2) * 5);
    const auto server = static_cast<std::uint32_t>(1 + up_to(3));
    ASSERT_TRUE(client_.execute("SET SESSION gtid_domain_id=" + std::to_string(domain)));
    ASSERT_TRUE(client_.execute("SET SESSION server_id=" + std::to_string(server)));
    ASSERT_TRUE(client_.execute("INSERT INTO shop.notes VALUES (1)"));
    const MariadbGtid written{domain, server, newest[domain].seqno + 1};
    last[{domain, server}] = written.seqno;
    newest[domain] = written;

    const std::string printed = ask("SELECT @@GLOBAL.gtid_binlog_state");
    const MariadbBinlogState log = state(printed);
    const MariadbGtidPosition end = position(ask("SELECT @@GLOBAL.gtid_binlog_pos"));
    ASSERT_EQ(end.at(domain), written);
    ASSERT_EQ(end.domains(), newest);
    ASSERT_TRUE(log.has_everything_up_to(end)) << printed << " and " << end.text();
    for (const auto& [key, seqno] : last) {
      ASSERT_TRUE(log.has({key.first, key.second, seqno})) << printed;
      ASSERT_FALSE(log.has({key.first, key.second, seqno + 1})) << printed;
    }
  }
  EXPECT_EQ(newest.size(), 3U);
  ASSERT_TRUE(client_.execute("SET SESSION gtid_domain_id=0, server_id=1"));
}

TEST_P(MariadbGtidServerTest, TakesTheStatesThatWePrint) {
  for (int round = 0; round < 20; ++round) {
    // Numbers ascend in a domain, as servers give them.
    std::vector<MariadbGtid> list;
    std::map<std::uint32_t, MariadbGtid> newest;
    for (const std::uint32_t domain : {0U, 1U, 300U}) {
      std::vector<std::uint32_t> servers{1, 2, 3, 40};
      std::ranges::shuffle(servers, random_);
      servers.resize(up_to(4));
      for (std::uint64_t seqno = 7; const std::uint32_t server : servers) {
        list.push_back({domain, server, ++seqno});
        newest[domain] = list.back();
      }
    }
    std::ranges::shuffle(list, random_);
    std::string text;
    for (const MariadbGtid& gtid : list) text += (text.empty() ? "" : ",") + gtid.text();
    const MariadbBinlogState wanted = state(text);
    ASSERT_TRUE(client_.execute("RESET MASTER"));
    ASSERT_TRUE(set_global("gtid_binlog_state", wanted.text())) << wanted.text();
    ASSERT_EQ(state(ask("SELECT @@GLOBAL.gtid_binlog_state")).text(), wanted.text());
    ASSERT_EQ(position(ask("SELECT @@GLOBAL.gtid_binlog_pos")).domains(), newest);
  }
}

INSTANTIATE_TEST_SUITE_P(, MariadbGtidServerTest, testing::Values(kInstalled, "mariadb-11.8"),
                         server_name);

}  // namespace
}  // namespace mha
