// The test client, straight on the client library.
#include "test_client.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace mha {

TestClient::TestClient() = default;

TestClient::~TestClient() {
  if (handle_ != nullptr) mysql_close(handle_);
}

bool TestClient::connect(std::uint16_t port, const std::string& user, const std::string& password) {
  if (handle_ != nullptr) mysql_close(handle_);
  handle_ = mysql_init(nullptr);
  if (handle_ == nullptr) throw std::runtime_error("out of memory");
  const unsigned seconds = 10;
  mysql_options(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(handle_, MYSQL_OPT_READ_TIMEOUT, &seconds);
  mysql_options(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  return mysql_real_connect(handle_, "127.0.0.1", user.c_str(), password.c_str(), nullptr, port,
                            nullptr, 0) != nullptr;
}

std::uint64_t TestClient::id() const { return mysql_thread_id(handle_); }

bool TestClient::execute(const std::string& sql) {
  send(sql);
  return finish();
}

std::optional<std::string> TestClient::value(const std::string& sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return std::nullopt;
  MYSQL_RES* rows = mysql_store_result(handle_);
  if (rows == nullptr) return std::nullopt;
  std::optional<std::string> value;
  MYSQL_ROW row = mysql_fetch_row(rows);
  if (row != nullptr && row[0] != nullptr) value = row[0];
  mysql_free_result(rows);
  return value;
}

void TestClient::send(const std::string& sql) { mysql_send_query(handle_, sql.data(), sql.size()); }

bool TestClient::finish() {
  if (mysql_read_query_result(handle_) != 0) return false;
  MYSQL_RES* rows = mysql_store_result(handle_);
  if (rows != nullptr) mysql_free_result(rows);
  return mysql_errno(handle_) == 0;
}

void TestClient::wait_for_loss() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (mysql_ping(handle_) == 0 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

unsigned TestClient::error() const { return mysql_errno(handle_); }

}  // namespace mha
