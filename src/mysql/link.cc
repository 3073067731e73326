// Calls of the client library, and the switch that cuts them.
#include "mysql/link.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "mysql/errors.h"

namespace mha {

Link::Link() { ensure_client_library(); }

Link::~Link() { close(); }

std::optional<MysqlError> Link::connect(const MysqlTarget& target, TlsUse tls,
                                        unsigned timeout_seconds) {
  close();
  handle_ = mysql_init(nullptr);
  if (handle_ == nullptr) return MysqlError{kOutOfMemory, "out of memory"};
  set_options(handle_, target, tls, timeout_seconds);
  const bool connected =
      connect_blocking(handle_, target, [this](int socket) { socket_made(socket); });
  if (!connected) {
    std::optional<MysqlError> error = last_error();
    close();
    return error;
  }
  socket_made(socket_of(handle_));
  return std::nullopt;
}

bool Link::encrypted() { return mysql_get_ssl_cipher(handle_) != nullptr; }

std::string Link::peer() {
  const std::lock_guard lock{mutex_};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> text{};
  auto* const peer = reinterpret_cast<sockaddr*>(&address);
  const bool known =
      socket_ >= 0 && getpeername(socket_, peer, &size) == 0 &&
      getnameinfo(peer, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
  return known ? text.data() : "";
}

Answer Link::execute(const std::string& sql) {
  Answer answer;
  int status = mysql_real_query(handle_, sql.data(), sql.size());
  while (status == 0) {
    StatementResult result;
    MYSQL_RES* rows = mysql_store_result(handle_);
    if (rows == nullptr && mysql_field_count(handle_) != 0) break;  // the rows were refused or lost
    if (rows != nullptr) {
      const unsigned columns = mysql_num_fields(rows);
      const MYSQL_FIELD* fields = mysql_fetch_fields(rows);
      for (unsigned i = 0; i < columns; ++i) result.columns.emplace_back(fields[i].name);
      while (MYSQL_ROW row = mysql_fetch_row(rows)) {
        const unsigned long* lengths = mysql_fetch_lengths(rows);
        SqlRow& copy = result.rows.emplace_back(columns);
        for (std::size_t i = 0; i < columns; ++i) {
          if (row[i] != nullptr) copy[i] = std::string(row[i], lengths[i]);
        }
      }
      mysql_free_result(rows);
    }
    answer.results.push_back(std::move(result));
    status = mysql_next_result(handle_);
    if (status == -1) return answer;
  }
  MysqlError error = last_error().value_or(MysqlError{kLostConnection, "no answer"});
  if (ends_session(error.number)) {
    answer.lost = std::move(error);
  } else {
    answer.results.push_back({{}, {}, std::move(error)});
  }
  return answer;
}

void Link::close() {
  if (handle_ != nullptr) mysql_close(handle_);
  handle_ = nullptr;
  forget_socket();
}

bool Link::cut() {
  const std::lock_guard lock{mutex_};
  is_cut_ = true;
  if (socket_ < 0) return false;
  shutdown(socket_, SHUT_RDWR);
  return true;
}

void Link::socket_made(int socket) {
  const std::lock_guard lock{mutex_};
  if (socket_ >= 0) ::close(socket_);
  socket_ = socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (is_cut_ && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void Link::forget_socket() {
  const std::lock_guard lock{mutex_};
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

std::optional<MysqlError> Link::last_error() {
  return MysqlError{mysql_errno(handle_), readable_text(mysql_error(handle_))};
}

}  // namespace mha
