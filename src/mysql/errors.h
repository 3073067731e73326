// The error numbers that we act on, and what they mean for a caller.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "mysql/answer.h"

namespace mha {

// From mysqld_error.h (ER_...) and errmsg.h (CR_...), which name some of them differently.
inline constexpr unsigned kEmptyQuery = 1065;
inline constexpr unsigned kNoSuchThread = 1094;
inline constexpr unsigned kLockWaitTimeout = 1205;
inline constexpr unsigned kOutOfMemory = 2008;
inline constexpr unsigned kLostConnection = 2013;
inline constexpr unsigned kTlsError = 2026;

// Whether the session is over after this error: the connection broke, or the server ended it.
bool ends_session(unsigned number);

// For an error that answered a connection attempt: kDenied, kRefused (the server's own no), or
// kUnreachable (the client library's numbers: nobody answered).
Code code_of_connect_error(unsigned number);
// For an error that answered a statement: kDenied or kRefused.
Code code_of_statement_error(unsigned number);

// The library's text with system error numbers in words: "(111)" to "(Connection refused)".
std::string readable_text(std::string_view text);

// "TEXT (error NUMBER)".
std::string to_string(const MysqlError& error);

}  // namespace mha
