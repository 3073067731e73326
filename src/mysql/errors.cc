// Which error numbers mean what.
#include "mysql/errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <system_error>

#include "mysql/text.h"

namespace mha {
namespace {

template <std::size_t N>
bool is_one_of(unsigned number, const std::array<unsigned, N>& numbers) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// The client library's own numbers.
bool is_client_error(unsigned number) { return number >= 2000 && number < 3000; }

}  // namespace

bool ends_session(unsigned number) {
  static constexpr std::array<unsigned, 7> kServerEndedIt{
      1053,   // server shutdown in progress
      1077,   // normal shutdown
      1079,   // shutdown complete
      1152,   // aborted connection
      1927,   // MariaDB: connection was killed
      3169,   // MySQL: session was killed
      4031};  // MySQL: disconnected because of inactivity
  return is_client_error(number) || is_one_of(number, kServerEndedIt);
}

Code code_of_connect_error(unsigned number) {
  static constexpr std::array<unsigned, 19> kDenied{
      1044,        // no access to the database
      1045,        // access denied: user, password
      1129, 1130,  // this host is blocked, not allowed
      1131, 1133,  // anonymous user, no such user
      1251,        // authentication protocol not supported by the client
      1698,        // access denied without a password (unix_socket)
      1820, 1862,  // password expired
      1873,        // access denied while changing user
      2026,        // TLS: handshake, certificate
      2049,        // old authentication protocol refused
      2058, 2059,  // authentication plugin cannot be loaded, initialised
      2061,        // authentication plugin's own error
      3118, 3159,  // account locked; the server takes TLS only
      4151};       // MariaDB: account locked
  if (is_one_of(number, kDenied)) return Code::kDenied;
  // A server's number, be it of a kind that we do not know, comes from a server that lives.
  return number == 0 || is_client_error(number) ? Code::kUnreachable : Code::kRefused;
}

Code code_of_statement_error(unsigned number) {
  static constexpr std::array<unsigned, 10> kDenied{
      1044, 1045, 1142, 1143, 1227,  // access to a database, table, column; a privilege is missing
      1290,                          // a server option forbids it
      1370,                          // routine
      1820, 1862,                    // password expired
      4167};                         // a role is missing
  return is_one_of(number, kDenied) ? Code::kDenied : Code::kRefused;
}

std::string readable_text(std::string_view text) {
  std::string readable = one_line(text);
  // Connector/C ends with "(111)", or "(111 "Connection refused")" in newer versions, or has
  // "system error: 111".
  const std::size_t last_digit = readable.find_last_of("0123456789");
  if (last_digit == std::string::npos) return readable;
  std::size_t first = last_digit;
  while (first > 0 && std::isdigit(static_cast<unsigned char>(readable[first - 1])) != 0) --first;
  const std::string_view before = std::string_view{readable}.substr(0, first);
  const std::string_view after = std::string_view{readable}.substr(last_digit + 1);
  const bool in_brackets = before.ends_with("(") && after == ")";
  const bool named = before.ends_with("system error: ") && after.empty();
  const std::size_t digits = last_digit - first + 1;
  if (!(in_brackets || named) || digits > 4) return readable;
  const int number = std::stoi(readable.substr(first, digits));
  return readable.replace(first, digits, std::generic_category().message(number));
}

std::string to_string(const MysqlError& error) {
  return fmt::format("{} (error {})", error.text, error.number);
}

}  // namespace mha
