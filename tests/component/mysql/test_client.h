// A client of the server under test: what an application would do, without our adapter.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mha {

// Blocks for ten seconds at most in each call.
class TestClient {
 public:
  TestClient();
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // As user `app` without a password, unless told otherwise. May be called again after a loss.
  bool connect(std::uint16_t port, const std::string& user = "app",
               const std::string& password = "");
  // On the server.
  [[nodiscard]] std::uint64_t id() const;

  // Whether the server took it; the rows are dropped.
  bool execute(const std::string& sql);
  // The first column of the first row; nullopt where there is none, or NULL.
  std::optional<std::string> value(const std::string& sql);
  // Sends without waiting for the answer; finish() does that, and says whether it was a success.
  void send(const std::string& sql);
  bool finish();
  [[nodiscard]] unsigned error() const;
  // Does nothing to speak of until the server ends the connection; ten seconds at most.
  void wait_for_loss();

 private:
  MYSQL* handle_ = nullptr;
};

}  // namespace mha
