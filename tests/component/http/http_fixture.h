// What the HTTP tests share: the client under test, servers, certificates.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "component/real_clock.h"
#include "component/test_process.h"
#include "fakes/fake_log.h"
#include "http/curl_http_client.h"
#include "source_paths.h"

namespace mha {

// http_server.py, which see.
class HttpServer {
 public:
  explicit HttpServer(const std::vector<std::string>& options = {})
      : process_(argv(options)), port_(process_.read().at("port").get<int>()) {}

  [[nodiscard]] int port() const { return port_; }
  // The next event of this kind; those before it are counted and passed over.
  nlohmann::json next(const std::string& event) {
    for (;;) {
      nlohmann::json seen = process_.read();
      const auto kind = seen.at("event").get<std::string>();
      ++counts_[kind];
      if (kind == event) return seen;
    }
  }
  // How many of this kind next() has come by.
  int count(const std::string& event) { return counts_[event]; }

 private:
  static std::vector<std::string> argv(const std::vector<std::string>& options) {
    std::vector<std::string> words{MHA_SOURCE_DIR "/tests/component/http/http_server.py"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  TestProcess process_;
  int port_;
  std::map<std::string, int> counts_;
};

// Files of make_certificates.py, gone with this object.
class Certificates {
 public:
  Certificates() : folder_(testing::TempDir() + "httpXXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    if (!runs_well(MHA_SOURCE_DIR "/tests/component/http/make_certificates.py " + folder_)) {
      throw std::runtime_error("make_certificates.py failed");
    }
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const {
    return folder_ + "/" + name + ".pem";
  }

 private:
  std::string folder_;
};

// A variable of the environment for one test.
class SetVariable {
 public:
  SetVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~SetVariable() {
    if (old_) {
      setenv(name_.c_str(), old_->c_str(), 1);
    } else {
      unsetenv(name_.c_str());
    }
  }
  SetVariable(const SetVariable&) = delete;
  SetVariable& operator=(const SetVariable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> old_;
};

class HttpTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // A proxy of the machine that the tests run on is none of theirs.
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY"}) {
      unsetenv(name);
    }
  }
  void SetUp() override {
    if (runs_well("/usr/bin/python3 -c 'import cryptography'")) return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string{ci} == "true") FAIL() << "python3-cryptography is missing";
    GTEST_SKIP() << "python3-cryptography is missing: tests/install-packages installs it";
  }

  static HttpRequest request(const HttpServer& server, const std::string& path,
                             HttpMethod method = HttpMethod::kGet) {
    HttpRequest made;
    made.method = method;
    made.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
    return made;
  }
  static HttpRequest tls_request(const HttpServer& server, const std::string& path,
                                 const std::string& ca_file, HttpMethod method = HttpMethod::kGet) {
    HttpRequest made = request(server, path, method);
    made.url = "https://localhost:" + std::to_string(server.port()) + path;
    made.ca_file = ca_file;
    return made;
  }
  // Notes how long it took.
  Result<HttpResponse> send(const HttpRequest& request, Milliseconds span = Milliseconds{20000}) {
    const TimePoint begin = clock_.now();
    Result<HttpResponse> answer = client_.send(request, Deadline{begin + span});
    took_ = std::chrono::ceil<Milliseconds>(clock_.now() - begin);
    return answer;
  }
  // Of a call that must fail.
  Error failure_of(const HttpRequest& request, Milliseconds span = Milliseconds{20000}) {
    const Result<HttpResponse> answer = send(request, span);
    EXPECT_FALSE(answer.ok()) << request.url;
    return answer.ok() ? Error{Code::kInternal, "it went well"} : answer.error();
  }
  // Of a call that must go well; the first of that name is asked for by header().
  HttpResponse answer_to(const HttpRequest& request) {
    Result<HttpResponse> answer = send(request);
    EXPECT_TRUE(answer.ok()) << answer.status().error().message;
    return answer.ok() ? std::move(answer).value() : HttpResponse{};
  }

  RealClock clock_;
  FakeLog log_;
  CurlHttpClient client_{clock_, log_};
  Milliseconds took_{0};
};

}  // namespace mha
