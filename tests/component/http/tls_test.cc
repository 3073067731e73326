// Whom the client believes, and the way through a proxy.
#include "http_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TlsTest : public HttpTest {
 protected:
  HttpServer server_with(const std::string& certificate) {
    return HttpServer{{"--certificate", certificates_.file(certificate)}};
  }
  HttpRequest asked(const HttpServer& server, const std::string& ca) {
    return tls_request(server, "/echo", ca.empty() ? "" : certificates_.file(ca),
                       HttpMethod::kPost);
  }
  void expect_denied(const HttpServer& server, const std::string& ca) {
    const Error error = failure_of(asked(server, ca));
    EXPECT_EQ(error.code, Code::kDenied) << error.message;
    EXPECT_THAT(error.message, AllOf(HasSubstr("nothing was sent"), HasSubstr("vouch")));
  }

  Certificates certificates_;
};

TEST_F(TlsTest, TheRightCertificateIsAccepted) {
  const HttpServer server = server_with("good");
  EXPECT_EQ(answer_to(asked(server, "ca")).status, 200);
}

TEST_F(TlsTest, AWrongNameIsDenied) { expect_denied(server_with("wrong"), "ca"); }
TEST_F(TlsTest, AnExpiredOneIsDenied) { expect_denied(server_with("expired"), "ca"); }
TEST_F(TlsTest, AnUnknownAuthorityIsDenied) { expect_denied(server_with("good"), "other_ca"); }
TEST_F(TlsTest, TheSystemsAuthoritiesDoNotKnowOurs) { expect_denied(server_with("good"), ""); }

TEST_F(TlsTest, AnUnreadableCaFileIsAConfigurationError) {
  const HttpServer server = server_with("good");
  const Error error = failure_of(asked(server, "absent"));
  EXPECT_EQ(error.code, Code::kConfig) << error.message;
  EXPECT_THAT(error.message, HasSubstr("absent.pem"));
}

TEST_F(TlsTest, AServerWithoutTlsIsUnreachable) {
  const HttpServer server{{"--stall", "banner"}};
  const Error error = failure_of(asked(server, "ca"));
  EXPECT_EQ(error.code, Code::kUnreachable) << error.message;
  EXPECT_THAT(error.message, HasSubstr("nothing was sent"));
}

// With the closing alert it is whole, but curl does not tell one from the other.
TEST_F(TlsTest, AnAnswerWithoutALengthMayBeCut) {
  const HttpServer server = server_with("good");
  for (const std::string path : {"/no-length", "/no-length/alert"}) {
    const Error error = failure_of(tls_request(server, path, certificates_.file("ca")));
    EXPECT_EQ(error.code, Code::kUnreachable) << path << ": " << error.message;
  }
}

TEST_F(TlsTest, CutAnswersAreSeenThroughTlsToo) {
  const HttpServer server = server_with("good");
  for (const std::string where : {"nothing", "headers", "length", "chunks"}) {
    const Error error = failure_of(tls_request(server, "/cut/" + where, certificates_.file("ca")));
    EXPECT_EQ(error.code, Code::kUnreachable) << where << ": " << error.message;
  }
}

TEST_F(TlsTest, TheProxyOfTheEnvironmentIsUsed) {
  const HttpServer server = server_with("good");
  HttpServer proxy;
  const SetVariable variable{"https_proxy", "http://127.0.0.1:" + std::to_string(proxy.port())};
  HttpRequest through = asked(server, "ca");
  through.secret_headers.push_back({"X-Auth-Token", Secret{"token"}});
  const HttpResponse answer = answer_to(through);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("x-proxy"), "");  // the proxy's own words are not the answer's
  EXPECT_EQ(proxy.next("request").at("method"), "CONNECT");
}

TEST_F(TlsTest, NoProxyWhereThereIsToBeNone) {
  const HttpServer server = server_with("good");
  const HttpServer plain;
  const SetVariable https{"https_proxy", "http://127.0.0.1:1"};
  const SetVariable http{"http_proxy", "http://127.0.0.1:1"};
  const Error error = failure_of(asked(server, "ca"));
  EXPECT_EQ(error.code, Code::kUnreachable);
  HttpRequest direct = asked(server, "ca");
  direct.proxy = HttpProxy::kNone;
  EXPECT_EQ(answer_to(direct).status, 200);
  direct = request(plain, "/echo");
  direct.proxy = HttpProxy::kNone;
  EXPECT_EQ(answer_to(direct).status, 200);
  const SetVariable exception{"no_proxy", "localhost,127.0.0.1"};
  EXPECT_EQ(answer_to(asked(server, "ca")).status, 200);
}

}  // namespace
}  // namespace mha
