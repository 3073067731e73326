// TLS: what each mode accepts, against servers with a certificate and without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <optional>

#include "fetched_server.h"
#include "mysql/connection.h"
#include "mysql_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Two authorities, and a server's certificate from the first for `localhost` and 127.0.0.1.
class Certificates {
 public:
  Certificates() {
    make_authority("ca");
    make_authority("other");
    run_program({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", file("server.key"),
                 "-out", file("server.csr"), "-subj", "/CN=a-name-that-is-not-checked"});
    run_program({"openssl", "x509", "-req", "-in", file("server.csr"), "-CA", file("ca.crt"),
                 "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2", "-out",
                 file("server.crt"), "-extfile", names_file()});
  }

  [[nodiscard]] std::string file(const std::string& name) const {
    return folder_.path() + "/" + name;
  }
  [[nodiscard]] std::vector<std::string> server_options() const {
    return {"--ssl-ca=" + file("ca.crt"), "--ssl-cert=" + file("server.crt"),
            "--ssl-key=" + file("server.key")};
  }

 private:
  void make_authority(const std::string& name) const {
    run_program({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 "/CN=" + name, "-keyout", file(name + ".key"), "-out", file(name + ".crt")});
  }
  [[nodiscard]] std::string names_file() const;

  TemporaryFolder folder_;
};

std::string Certificates::names_file() const {
  const std::string path = file("names");
  std::FILE* out = std::fopen(path.c_str(), "w");
  std::fputs("subjectAltName=DNS:localhost,IP:127.0.0.1\n", out);
  std::fclose(out);
  return path;
}

class TlsTest : public MysqlTest {
 protected:
  static void SetUpTestSuite() {
    if (!missing_tools().empty()) return;
    certificates_.emplace();
    with_tls_.emplace(certificates_->server_options());
    without_tls_.emplace();
  }
  static void TearDownTestSuite() {
    with_tls_.reset();
    without_tls_.reset();
    certificates_.reset();
  }

  // What the session is encrypted with ("" for plain text), or the error.
  Result<bool> encrypted(MysqlTarget target, MysqlTlsMode mode, const std::string& ca = "") {
    target.tls_mode = mode;
    target.tls_ca = ca.empty() ? "" : certificates_->file(ca);
    Result<std::unique_ptr<Connection>> connection = Connection::open(target, clock_, soon());
    if (!connection.ok()) return connection.error();
    Result<std::vector<SqlRow>> rows =
        connection.value()->rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'", "reading", soon());
    if (!rows.ok()) return rows.error();
    const bool server_says = !rows.value().at(0).at(1).value_or("").empty();
    EXPECT_EQ(connection.value()->encrypted(), server_says);
    return server_says;
  }

  void expect_encrypted(const Result<bool>& result) {
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(result.value());
  }
  void expect_plain(const Result<bool>& result) {
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_FALSE(result.value());
  }
  void expect_denied(const Result<bool>& result, const std::string& part) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::kDenied) << result.error().message;
    EXPECT_THAT(result.error().message, AllOf(HasSubstr(part), HasSubstr("MySQL on ")));
  }

  static inline std::optional<Certificates> certificates_;
  static inline std::optional<MariadbServer> with_tls_;
  static inline std::optional<MariadbServer> without_tls_;
};

TEST_F(TlsTest, DisabledIsPlainText) {
  expect_plain(encrypted(with_tls_->target(), MysqlTlsMode::kDisabled));
}

TEST_F(TlsTest, PreferredTakesWhatThereIs) {
  expect_encrypted(encrypted(with_tls_->target(), MysqlTlsMode::kPreferred));
  expect_plain(encrypted(without_tls_->target(), MysqlTlsMode::kPreferred));
}

TEST_F(TlsTest, ServerWithoutTlsIsRefusedWhereItIsRequired) {
  expect_denied(encrypted(without_tls_->target(), MysqlTlsMode::kRequired), "TLS");
  expect_denied(encrypted(without_tls_->target(), MysqlTlsMode::kVerifyCa, "ca.crt"), "");
  expect_denied(encrypted(without_tls_->target(), MysqlTlsMode::kVerifyIdentity, "ca.crt"), "");
}

TEST_F(TlsTest, RequiredTakesAnyCertificate) {
  expect_encrypted(encrypted(with_tls_->target(), MysqlTlsMode::kRequired));
  // A CA that is named says nothing in this mode, as with MySQL's own client.
  expect_encrypted(encrypted(with_tls_->target(), MysqlTlsMode::kRequired, "other.crt"));
}

TEST_F(TlsTest, VerifyCaTakesTheRightAuthorityOnly) {
  expect_encrypted(encrypted(with_tls_->target(), MysqlTlsMode::kVerifyCa, "ca.crt"));
  expect_denied(encrypted(with_tls_->target(), MysqlTlsMode::kVerifyCa, "other.crt"),
                "certificate");
  expect_denied(encrypted(with_tls_->target(), MysqlTlsMode::kVerifyCa, "no-such-file"), "");
}

TEST_F(TlsTest, WithoutACaTheSystemsAreAsked) {
  expect_denied(encrypted(with_tls_->target(), MysqlTlsMode::kVerifyCa), "certificate");
}

TEST_F(TlsTest, VerifyCaDoesNotAskForTheName) {
  MysqlTarget target = with_tls_->target();
  target.host = "::1";  // not in the certificate
  expect_encrypted(encrypted(target, MysqlTlsMode::kVerifyCa, "ca.crt"));
}

TEST_F(TlsTest, VerifyIdentityAsksForTheName) {
  MysqlTarget target = with_tls_->target();
  expect_encrypted(encrypted(target, MysqlTlsMode::kVerifyIdentity, "ca.crt"));
  target.host = "localhost";
  expect_encrypted(encrypted(target, MysqlTlsMode::kVerifyIdentity, "ca.crt"));
  target.host = "::1";
  expect_denied(encrypted(target, MysqlTlsMode::kVerifyIdentity, "ca.crt"), "certificate");
}

// Reads that go through TLS have another path in the library.
// Servers of other families and ages: what is asked for is there, or there is no connection.
class OtherServersTlsTest : public TlsTest, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    TlsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const char* ci = std::getenv("CI");
    const bool must = ci != nullptr && std::string{ci} == "true";
    if (!must && !can_fetch(GetParam())) GTEST_SKIP() << GetParam() << " cannot be had here";
  }
  // The same account on another port.
  [[nodiscard]] MysqlTarget target(const FetchedServer& server) const {
    MysqlTarget target = with_tls_->target();
    target.port = server.port();
    return target;
  }
};

TEST_P(OtherServersTlsTest, AServerWithoutTlsIsRefused) {
  const std::string without = GetParam() == "mysql-9.7" ? "--tls-version=" : "--skip-ssl";
  const FetchedServer server(GetParam(), {without});
  expect_plain(encrypted(target(server), MysqlTlsMode::kPreferred));
  expect_denied(encrypted(target(server), MysqlTlsMode::kRequired), "TLS");
  expect_denied(encrypted(target(server), MysqlTlsMode::kVerifyCa, "ca.crt"), "");
  expect_denied(encrypted(target(server), MysqlTlsMode::kVerifyIdentity, "ca.crt"), "");
}

TEST_P(OtherServersTlsTest, TheRightAuthorityOnly) {
  const FetchedServer server(GetParam(), certificates_->server_options());
  if (GetParam() == "mysql-5.6") {
    // Its TLS is too old for ours: refused where asked for, and not done without.
    for (const MysqlTlsMode mode : {MysqlTlsMode::kRequired, MysqlTlsMode::kVerifyCa}) {
      EXPECT_FALSE(encrypted(target(server), mode, "ca.crt").ok());
    }
    return;
  }
  expect_encrypted(encrypted(target(server), MysqlTlsMode::kRequired));
  expect_encrypted(encrypted(target(server), MysqlTlsMode::kVerifyCa, "ca.crt"));
  expect_encrypted(encrypted(target(server), MysqlTlsMode::kVerifyIdentity, "ca.crt"));
  expect_denied(encrypted(target(server), MysqlTlsMode::kVerifyCa, "other.crt"), "");
  expect_denied(encrypted(target(server), MysqlTlsMode::kVerifyIdentity, "other.crt"), "");
}

INSTANTIATE_TEST_SUITE_P(, OtherServersTlsTest, testing::ValuesIn(kFetchedServers),
                         [](const testing::TestParamInfo<std::string>& one) {
                           std::string name = one.param;
                           for (char& c : name) c = std::isalnum(c) != 0 ? c : '_';
                           return name;
                         });

TEST_F(TlsTest, FrozenServerCostsTheDeadline) {
  MysqlTarget target = with_tls_->target();
  target.tls_mode = MysqlTlsMode::kRequired;
  std::unique_ptr<MysqlServer> session = open(target);
  ASSERT_NE(session, nullptr);
  with_tls_->freeze();
  const Result<ReadOnlyState> state =
      timed([&] { return session->read_only_state(within(Milliseconds{400})); });
  EXPECT_LT(took_ms(), 650);
  timed([&] {
    session.reset();
    return 0;
  });
  EXPECT_LT(took_ms(), 250);
  with_tls_->thaw();
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Code::kTimeout);
}

TEST_F(TlsTest, ServerThatGoesAwayDoesNotKillUs) {
  MariadbServer victim{certificates_->server_options()};
  MysqlTarget target = victim.target();
  target.tls_mode = MysqlTlsMode::kRequired;
  std::unique_ptr<MysqlServer> session = open(target);
  ASSERT_NE(session, nullptr);
  victim.crash();
  for (int call = 0; call < 2; ++call) {
    const Result<ReadOnlyState> state = session->read_only_state(soon());
    ASSERT_FALSE(state.ok());
    EXPECT_EQ(state.error().code, Code::kUnreachable);
  }
  session.reset();  // a goodbye on a broken TLS connection would raise SIGPIPE
}

}  // namespace
}  // namespace mha
