// One place after the other.
#include "cli/passwords.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "config/login_file.h"
#include "config/option_place.h"
#include "config/text_file.h"

namespace mha {
namespace {

Secret take_variable(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return Secret{};
  Secret secret{std::string{value}};
  wipe(value, std::strlen(value));
  unsetenv(name);
  return secret;
}

// As the client library finds it (MySQL Reference Manual, "Option File Inclusions").
std::string usual_login_file() {
  if (const char* named = std::getenv("MYSQL_TEST_LOGIN_FILE")) return named;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    const passwd* user = getpwuid(geteuid());
    home = user == nullptr ? "" : user->pw_dir;
  }
  return std::string{home} + "/.mylogin.cnf";
}

// The options of one kind of account, and what they are set to.
struct Sources {
  const char* file_option;
  const char* path_option;
  const std::string& file;
  const std::string& login_path;
  const Secret& variable;
};

Sources sources_of(AccountKind kind, const HostSettings& settings,
                   const VariablePasswords& variables) {
  if (kind == AccountKind::kMysql) {
    return {"mysql_password_file", "mysql_login_path", settings.mysql_password_file,
            settings.mysql_login_path, variables.mysql};
  }
  return {"repl_password_file", "repl_login_path", settings.repl_password_file,
          settings.repl_login_path, variables.replication};
}

Error unusable(const HostSettings& settings, const char* option, const std::string& file,
               const Error& error) {
  return {Code::kConfig, fmt::format("{}: {} {}", place_of(settings, option), file, error.message)};
}

}  // namespace

VariablePasswords take_variable_passwords() {
  return {take_variable("MHA_HELPER_MYSQL_PASSWORD"), take_variable("MHA_HELPER_REPL_PASSWORD")};
}

Result<Account> complete_account(Account given, AccountKind kind, const HostSettings& settings,
                                 const VariablePasswords& variables) {
  if (!given.password.empty()) return given;
  const Sources sources = sources_of(kind, settings, variables);
  if (!sources.file.empty()) {
    Result<Secret> password = read_password_file(sources.file);
    if (!password.ok()) {
      return unusable(settings, sources.file_option, sources.file, password.error());
    }
    return Account{std::move(given.user), std::move(password).value()};
  }
  if (!sources.login_path.empty()) {
    const std::string file =
        settings.mysql_login_file.empty() ? usual_login_file() : settings.mysql_login_file;
    Result<LoginPath> path = read_login_path(file, sources.login_path);
    if (!path.ok()) return unusable(settings, sources.path_option, file, path.error());
    LoginPath& read = path.value();
    return Account{read.user.empty() ? std::move(given.user) : std::move(read.user),
                   std::move(read.password)};
  }
  return Account{std::move(given.user), sources.variable};
}

}  // namespace mha
