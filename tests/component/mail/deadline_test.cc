// A server, or a name server, that says nothing costs the deadline and no more.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/shell_quote.h"
#include "mail_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Milliseconds kSpan{700};
// What a loaded machine may add; far below curl's own time-outs of seconds and minutes.
constexpr Milliseconds kSlack{1500};

class DeadlineTest : public MailTest {
 protected:
  void expect_timeout(const Status& status, const std::string& words, const std::string& state,
                      Milliseconds span = kSpan) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kTimeout);
    EXPECT_THAT(status.error().message, AllOf(HasSubstr(words), HasSubstr(state)));
    EXPECT_GE(took_, span);
    EXPECT_LT(took_, span + kSlack);
  }
};

TEST_F(DeadlineTest, SilenceInsteadOfAGreeting) {
  MailServer server{{"--stall", "greeting"}};
  expect_timeout(send(at(server), mail_, kSpan), "the connection attempt", "no mail was sent");
  server.next("connect");
}

TEST_F(DeadlineTest, SilenceInsteadOfATlsHandshake) {
  MailServer server{{"--stall", "greeting"}};
  expect_timeout(send(at(server, SmtpSecurity::kTls, ""), mail_, kSpan), "the connection attempt",
                 "no mail was sent");
}

TEST_F(DeadlineTest, SilenceAfterEhlo) {
  MailServer server{{"--stall", "ehlo"}};
  expect_timeout(send(at(server), mail_, kSpan), "EHLO", "no mail was sent");
}

TEST_F(DeadlineTest, AServerThatStopsReadingInTheMessage) {
  mail_.body = std::string(8'000'000, '\n');  // more than the sockets' buffers take
#ifdef __SANITIZE_THREAD__
  const Milliseconds span{20'000};
#else
  const Milliseconds span{3000};  // some of it goes into writing the message
#endif
  MailServer server{{"--stall", "data"}};
  expect_timeout(send(at(server), mail_, span), "the message", "may or may not have been sent",
                 span);
}

TEST_F(DeadlineTest, SilenceAfterTheMessage) {
  MailServer server{{"--stall", "reply"}};
  expect_timeout(send(at(server), mail_, kSpan), "the message", "may or may not have been sent");
}

TEST_F(DeadlineTest, SilenceAfterQuitCostsNothing) {
  MailServer server{{"--stall", "quit"}};
  const Status status = send(at(server), mail_);
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_LT(took_, kSlack);
  server.next("mail");
  server.next("quit");
}

TEST_F(DeadlineTest, SilenceAfterQuitCostsNothingForARefusedMailEither) {
  MailServer server{{"--stall", "quit", "--refuse_all"}};
  const Status status = send(at(server), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_LT(took_, kSlack);
}

// Runs this program's test `name` in network and mount namespaces of its own, where
// /etc/resolv.conf names 127.0.0.1. Returns its exit status.
int run_with_own_name_server(const std::string& name) {
  const TemporaryFolder folder;
  const std::string conf = folder.path() + "/resolv.conf";
  std::ofstream{conf} << "nameserver 127.0.0.1\n";
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string inner = "ip link set lo up && mount --bind " + shell_quote(conf) +
                            " /etc/resolv.conf && exec " + shell_quote(program) +
                            " --gtest_also_run_disabled_tests --gtest_filter=" + shell_quote(name);
  const int status = std::system(("unshare --net --mount sh -c " + shell_quote(inner)).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(DeadlineTest, ASilentNameServer) {
  if (getuid() != 0) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string{ci} == "true") << "needs root";
    GTEST_SKIP() << "needs root, for namespaces";
  }
  EXPECT_EQ(run_with_own_name_server("*.DISABLED_ASilentNameServerWithin"), 0);
}

// Run by ASilentNameServer, in its namespaces.
TEST_F(DeadlineTest, DISABLED_ASilentNameServerWithin) {
  const int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  SmtpServer target;
  target.host = "mx.example.invalid";
  expect_timeout(send(target, mail_, kSpan), "mx.example.invalid:25", "no mail was sent");
  char query[512];
  EXPECT_GT(recv(silent, query, sizeof query, MSG_DONTWAIT), 0) << "nobody asked the name server";
  close(silent);
}

}  // namespace
}  // namespace mha
