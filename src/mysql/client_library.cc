// The only file with an #ifdef on the client library.
#include "mysql/client_library.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <mutex>

namespace mha {
namespace {

// SQL texts are joined for KILL only (libmysql_server.cc); nothing from outside is ever joined.
constexpr unsigned long kClientFlags = CLIENT_MULTI_STATEMENTS;

const char* address_of(const MysqlTarget& target) {
  return target.address.empty() ? target.host.c_str() : target.address.c_str();
}

bool verifies_certificate(MysqlTlsMode mode) {
  return mode == MysqlTlsMode::kVerifyCa || mode == MysqlTlsMode::kVerifyIdentity;
}

// Where distributions keep the certificates that they trust.
const char* system_ca_file() {
  static constexpr std::array kPlaces{"/etc/ssl/certs/ca-certificates.crt",  // Debian, Arch
                                      "/etc/pki/tls/certs/ca-bundle.crt",    // Red Hat
                                      "/etc/ssl/ca-bundle.pem"};             // SUSE
  for (const char* place : kPlaces) {
    if (access(place, R_OK) == 0) return place;
  }
  return kPlaces.front();  // named in the library's error
}

const char* ca_file(const MysqlTarget& target) {
  return target.tls_ca.empty() ? system_ca_file() : target.tls_ca.c_str();
}

#ifdef LIBMARIADB

void set_tls(MYSQL* handle, const MysqlTarget& target, MysqlTlsMode mode) {
  const my_bool encrypt = mode != MysqlTlsMode::kDisabled;
  const my_bool check_name = mode == MysqlTlsMode::kVerifyIdentity;
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &encrypt);
  // Connector/C 3.4 checks names by default; 3.3 checks the chain wherever a CA is given.
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &check_name);
  if (verifies_certificate(mode)) mysql_options(handle, MYSQL_OPT_SSL_CA, ca_file(target));
}

void set_library_options(MYSQL* handle) {
  // Not mysql_clear_password and dialog, which hand the password to whoever answers.
  mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH,
                "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,"
                "parsec,auth_gssapi_client");
  // The stack that connecting runs on: getaddrinfo's modules want more than the default 60 KiB.
  std::size_t stack_bytes = 512 * 1024;
  mysql_options(handle, MYSQL_OPT_NONBLOCK, &stack_bytes);
}

// The events of poll() for those of Connector/C, and back.
int wait_for(int socket, int wanted) {
  const int events = ((wanted & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                     ((wanted & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                     ((wanted & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0);
  pollfd entry{socket, static_cast<short>(events), 0};
  // No time limit: Link::cut() shuts the socket down, and poll() then returns.
  if (poll(&entry, 1, -1) <= 0) return MYSQL_WAIT_TIMEOUT;
  int seen = 0;
  if ((entry.revents & (POLLIN | POLLHUP | POLLERR)) != 0) seen |= MYSQL_WAIT_READ;
  if ((entry.revents & (POLLOUT | POLLHUP | POLLERR)) != 0) seen |= MYSQL_WAIT_WRITE;
  if ((entry.revents & POLLPRI) != 0) seen |= MYSQL_WAIT_EXCEPT;
  return seen & wanted;
}

#else  // MySQL's own

void set_tls(MYSQL* handle, const MysqlTarget& target, MysqlTlsMode mode) {
  const auto ssl_mode = [mode]() -> unsigned {
    switch (mode) {
      case MysqlTlsMode::kDisabled:
        return SSL_MODE_DISABLED;
      case MysqlTlsMode::kPreferred:
        return SSL_MODE_PREFERRED;
      case MysqlTlsMode::kRequired:
        return SSL_MODE_REQUIRED;
      case MysqlTlsMode::kVerifyCa:
        return SSL_MODE_VERIFY_CA;
      case MysqlTlsMode::kVerifyIdentity:
        return SSL_MODE_VERIFY_IDENTITY;
    }
    return SSL_MODE_REQUIRED;
  }();
  mysql_options(handle, MYSQL_OPT_SSL_MODE, &ssl_mode);
  if (verifies_certificate(mode)) mysql_options(handle, MYSQL_OPT_SSL_CA, ca_file(target));
}

void set_library_options(MYSQL* handle) {
  // Connector/C does so by itself: caching_sha2_password without TLS needs the server's RSA key.
  const bool fetch_key = true;
  mysql_options(handle, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &fetch_key);
}

#endif

}  // namespace

void ensure_client_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

void leave_client_library() { mysql_thread_end(); }

void set_options(MYSQL* handle, const MysqlTarget& target, TlsUse tls, unsigned timeout_seconds) {
  const unsigned off = 0;
  const unsigned tcp = MYSQL_PROTOCOL_TCP;  // "localhost" would mean a Unix socket otherwise
  mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_seconds);
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "mha-helper");
  set_library_options(handle);
  set_tls(handle, target, tls == TlsUse::kNone ? MysqlTlsMode::kDisabled : target.tls_mode);
}

#ifdef LIBMARIADB

// Connector/C's own blocking connect does not tell its socket before it is through, and without
// the socket nobody can cut it; started this way it tells. The TLS handshake blocks even so.
bool connect_blocking(MYSQL* handle, const MysqlTarget& target,
                      const std::function<void(int)>& socket_made) {
  MYSQL* connected = nullptr;
  int wanted = mysql_real_connect_start(&connected, handle, address_of(target), target.user.c_str(),
                                        target.password.reveal().c_str(), nullptr, target.port,
                                        nullptr, kClientFlags);
  while (wanted != 0) {
    const int socket = mysql_get_socket(handle);
    socket_made(socket);
    wanted = mysql_real_connect_cont(&connected, handle, wait_for(socket, wanted));
  }
  return connected != nullptr;
}

int socket_of(MYSQL* handle) { return mysql_get_socket(handle); }

#else

// MySQL's non-blocking connect leaves a session that its blocking calls cannot use, so this one is
// not told its socket in time: where it is abandoned, it ends by its own timeout, a second late.
bool connect_blocking(MYSQL* handle, const MysqlTarget& target,
                      const std::function<void(int)>& socket_made) {
  if (mysql_real_connect(handle, address_of(target), target.user.c_str(),
                         target.password.reveal().c_str(), nullptr, target.port, nullptr,
                         kClientFlags) == nullptr) {
    return false;
  }
  socket_made(socket_of(handle));
  return true;
}

int socket_of(MYSQL* handle) { return static_cast<int>(handle->net.fd); }

#endif

}  // namespace mha
