// A server, or a name server, that says nothing costs the deadline and no more.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>

#include "base/shell_quote.h"
#include "http_fixture.h"

namespace mha {
namespace {

using testing::HasSubstr;

constexpr Milliseconds kSpan{600};
// What a loaded machine may add; far below curl's own time-outs.
constexpr Milliseconds kSlack{1500};

class DeadlineTest : public HttpTest {
 protected:
  void expect_timeout(const HttpRequest& request, const std::string& words) {
    const Error error = failure_of(request, kSpan);
    EXPECT_EQ(error.code, Code::kTimeout) << error.message;
    // Of a part that began late it is what was left.
    const std::string told =
        std::regex_replace(error.message, std::regex{"within 5[0-9][0-9] ms"}, "within 600 ms");
    EXPECT_THAT(told, HasSubstr(words));
    EXPECT_GE(took_, kSpan);
    EXPECT_LT(took_, kSpan + kSlack);
  }
};

// A listener whose queue is full: the kernel answers no further connection attempt.
class FullListener {
 public:
  FullListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_, 0), 0);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int& client : clients_) {
      client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      static_cast<void>(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address));
    }
  }
  ~FullListener() {
    for (const int client : clients_) close(client);
    close(socket_);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  [[nodiscard]] int port() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
  std::array<int, 4> clients_{};
};

TEST_F(DeadlineTest, SilenceInsteadOfAConnection) {
  const FullListener listener;
  HttpRequest asked;
  asked.method = HttpMethod::kPost;
  asked.url = "https://127.0.0.1:" + std::to_string(listener.port());
  expect_timeout(asked, "no connection within 600 ms; nothing was sent");
}

TEST_F(DeadlineTest, SilenceInsteadOfATlsHandshake) {
  const Certificates certificates;
  HttpServer server{{"--stall", "tls"}};
  expect_timeout(tls_request(server, "/echo", certificates.file("ca"), HttpMethod::kPost),
                 "no connection within 600 ms; nothing was sent");
  server.next("connect");
}

TEST_F(DeadlineTest, SilenceInsteadOfAnAnswer) {
  HttpServer server;
  expect_timeout(request(server, "/hang/nothing", HttpMethod::kPost),
                 "no answer within 600 ms; the request may have been executed");
  server.next("gone");  // the connection is not kept
}

TEST_F(DeadlineTest, SilenceInTheAnswer) {
  HttpServer server;
  for (const std::string where : {"headers", "body"}) {
    expect_timeout(request(server, "/hang/" + where, HttpMethod::kPost),
                   "no whole answer within 600 ms; the request may have been executed");
  }
  // What curl has not yet given us of a line is no beginning of an answer.
  expect_timeout(request(server, "/hang/status-line"), "answer within 600 ms; nothing was learned");
}

TEST_F(DeadlineTest, SilenceInTheAnswerOverTls) {
  const Certificates certificates;
  HttpServer server{{"--certificate", certificates.file("good")}};
  for (const std::string where : {"nothing", "headers", "body"}) {
    expect_timeout(
        tls_request(server, "/hang/" + where, certificates.file("ca"), HttpMethod::kPost),
        "answer within 600 ms; the request may have been executed");
  }
}

TEST_F(DeadlineTest, AnAnswerThatDrips) {
  HttpServer server;
  expect_timeout(request(server, "/slow"), "no whole answer within 600 ms");
}

TEST_F(DeadlineTest, AProxyThatSaysNothing) {
  const HttpServer proxy{{"--stall", "tls"}};
  const SetVariable variable{"https_proxy", "http://127.0.0.1:" + std::to_string(proxy.port())};
  HttpRequest asked;
  asked.url = "https://cloud.example.invalid/";
  expect_timeout(asked, "no connection within 600 ms; nothing was sent");
}

TEST_F(DeadlineTest, AHangDoesNotHarmTheNextCall) {
  HttpServer server;
  EXPECT_EQ(answer_to(request(server, "/echo")).status, 200);
  expect_timeout(request(server, "/hang/body"), "no whole answer");
  EXPECT_EQ(answer_to(request(server, "/chunked")).body, "abcdef");
}

// Runs this program's test `name` in network and mount namespaces of its own, where
// /etc/resolv.conf names 127.0.0.1. Returns its exit status.
int run_with_own_name_server(const std::string& name) {
  std::string folder = testing::TempDir() + "httpXXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return -1;
  const std::string conf = folder + "/resolv.conf";
  std::ofstream{conf} << "nameserver 127.0.0.1\n";
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string inner = "ip link set lo up && mount --bind " + shell_quote(conf) +
                            " /etc/resolv.conf && exec " + shell_quote(program) +
                            " --gtest_also_run_disabled_tests --gtest_filter=" + shell_quote(name);
  const int status = std::system(("unshare --net --mount sh -c " + shell_quote(inner)).c_str());
  std::filesystem::remove_all(folder);
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
  HttpRequest asked;
  asked.url = "https://ec2.example.invalid/";
  expect_timeout(asked, "GET https://ec2.example.invalid/: no connection within 600 ms");
  char query[512];
  EXPECT_GT(recv(silent, query, sizeof query, MSG_DONTWAIT), 0) << "nobody asked the name server";
  close(silent);
}

}  // namespace
}  // namespace mha
