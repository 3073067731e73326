// Where the passwords of the database accounts come from.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/secret.h"
#include "base/status.h"
#include "config/host_settings.h"

namespace mha {

// Passwords that stood in our environment: MHA_HELPER_MYSQL_PASSWORD, MHA_HELPER_REPL_PASSWORD.
struct VariablePasswords {
  Secret mysql;
  Secret replication;
};

// Takes them out of the environment, and wipes what /proc/PID/environ shows of it: nothing that we
// start gets them. Call it before there are threads.
VariablePasswords take_variable_passwords();

enum class AccountKind { kMysql, kReplication };

struct Account {
  std::string user;
  Secret password;
};

// `given` is what MHA's configuration has, or what MHA passes to a hook. Where that is no password,
// the first of these that is set counts: the password file of the settings; their login path, which
// brings its user with it; the variable. Without any of them the account has no password. Errors
// (kConfig): a file or login path that cannot be used, with the option that names it.
Result<Account> complete_account(Account given, AccountKind kind, const HostSettings& settings,
                                 const VariablePasswords& variables);

}  // namespace mha
