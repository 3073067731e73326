// From a target to an authenticated session, and commands on it.
#include "ssh/libssh_shell.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>

#include "base/shell_quote.h"
#include "ssh/authenticate.h"
#include "ssh/child_process.h"
#include "ssh/known_hosts.h"
#include "ssh/libssh_session.h"
#include "ssh/remote_command.h"
#include "ssh/tcp_connect.h"

namespace mha {
namespace {

constexpr Milliseconds kBetweenAttempts{1000};
// For where ssh_config names none: what libssh can check, the quickest first.
constexpr const char* kHostKeyAlgorithms =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,"
    "rsa-sha2-256";

// A session and the program that it goes through, if any; the session ends first.
struct Connection {
  std::unique_ptr<ProxyProcess> proxy;
  std::unique_ptr<LibsshSession> session;
};

class LibsshShell : public RemoteShell, public SessionWatch {
 public:
  LibsshShell(std::string host, Connection connection)
      : host_(std::move(host)), connection_(std::move(connection)), runner_(*connection_.session) {}

  [[nodiscard]] const std::string& host() const override { return host_; }

  Result<CommandOutput> run(const std::string& command, Deadline deadline) override {
    if (over()) return ended_before();
    Result<CommandOutput> result = runner_.run(command, deadline);
    if (result.ok()) return result;
    return in_context(result.error());
  }

  Status prepare(const std::string& name, const std::string& command, Deadline deadline) override {
    if (over()) return ended_before();
    Status status = runner_.prepare(name, command, deadline);
    return status.ok() ? status : in_context(status.error());
  }

  Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                        Deadline deadline) override {
    if (over()) return ended_before();
    Result<CommandOutput> result = runner_.finish_prepared(name, input, deadline);
    if (result.ok()) return result;
    return in_context(result.error());
  }

  [[nodiscard]] int watch_fd() const override { return over() ? -1 : connection_.session->fd(); }

  bool still_alive() override {
    if (over()) return false;
    const Clock& clock = connection_.session->clock();
    const Status status = connection_.session->pump(Deadline{clock.now()});
    if (!status.ok() && status.error().code != Code::kTimeout) lost_ = true;
    return !lost_;
  }

 private:
  [[nodiscard]] bool over() const { return lost_ || !runner_.usable(); }
  [[nodiscard]] Error ended_before() const {
    return in_context(Error{Code::kUnreachable, "the session ended with an earlier error"});
  }
  [[nodiscard]] Error in_context(const Error& error) const {
    return error.with_context("SSH to " + host_);
  }

  const std::string host_;
  Connection connection_;
  CommandRunner runner_;
  bool lost_ = false;
};

class Connecting {
 public:
  Connecting(const SshSettings& settings, Clock& clock, Log& log)
      : settings_(settings),
        clock_(clock),
        log_(log),
        host_key_name_(settings.host_key_alias.empty()
                           ? known_hosts_name(settings.hostname, settings.port)
                           : settings.host_key_alias) {}

  Result<Connection> run(Deadline deadline) {
    Result<Connection> connection = reach(deadline);
    if (!connection.ok()) return connection;
    LibsshSession& session = *connection.value().session;
    if (Status checked = check_host_key(session); !checked.ok()) return checked.error();
    if (Status login = authenticate(session, settings_, deadline); !login.ok()) {
      return login.error();
    }
    return connection;
  }

 private:
  Result<Connection> reach(Deadline deadline) {
    for (unsigned attempt = 1;; ++attempt) {
      const Deadline turn = settings_.connect_timeout
                                ? deadline.capped(clock_.deadline_after(*settings_.connect_timeout))
                                : deadline;
      Result<Connection> connection = reach_once(turn);
      if (connection.ok()) return connection;
      const Code code = connection.error().code;
      const bool may_help = code == Code::kUnreachable || code == Code::kTimeout;
      const Deadline next{clock_.now() + kBetweenAttempts};
      if (!may_help || attempt >= settings_.connection_attempts || next.at() >= deadline.at()) {
        return attempt == 1 ? connection.error()
                            : Error{code, fmt::format("{} ({} attempts)",
                                                      connection.error().message, attempt)};
      }
      log_.debug("SSH to {}: {}; trying again", settings_.name(), connection.error().message);
      clock_.sleep_until(next.at());
    }
  }

  Result<Connection> reach_once(Deadline deadline) {
    const auto algorithms = settings_.algorithms.find("hostkeyalgorithms");
    const bool told = algorithms != settings_.algorithms.end() && !algorithms->second.empty();
    const KnownHosts known = known_hosts();
    Result<std::unique_ptr<LibsshSession>> session = LibsshSession::create(
        settings_, known.preferred_first(told ? algorithms->second : kHostKeyAlgorithms), clock_);
    if (!session.ok()) return session.error();

    Connection connection;
    FileDescriptor socket;
    if (settings_.proxy_command.empty()) {
      Result<FileDescriptor> tcp =
          connect_tcp({settings_.hostname, settings_.port, settings_.address}, clock_, deadline);
      if (!tcp.ok()) return tcp.error();
      socket = std::move(tcp).value();
    } else {
      Result<std::unique_ptr<ProxyProcess>> proxy = ProxyProcess::start(settings_.proxy_command);
      if (!proxy.ok()) return proxy.error();
      connection.proxy = std::move(proxy).value();
      socket = connection.proxy->take_socket();
    }
    connection.session = std::move(session).value();
    Status shaken = connection.session->handshake(std::move(socket), deadline);
    if (shaken.ok()) return connection;
    Error error = shaken.error();
    if (connection.proxy != nullptr) {
      const std::string words = connection.proxy->error_text();
      error.message = fmt::format("through the proxy: {}{}{}", error.message,
                                  words.empty() ? "" : "; it says: ", words);
    }
    return error;
  }

  [[nodiscard]] KnownHosts known_hosts() const {
    std::vector<std::string> files = settings_.user_known_hosts;
    files.insert(files.end(), settings_.system_known_hosts.begin(),
                 settings_.system_known_hosts.end());
    return KnownHosts{host_key_name_, files};
  }

  Status check_host_key(LibsshSession& session) {
    ssh_key raw = nullptr;
    if (ssh_get_server_publickey(session.get(), &raw) != SSH_OK) {
      return Error{Code::kInternal, "libssh does not tell the host key"};
    }
    const SshKey key{raw};
    const std::string type = key_type_name(key.get());
    const std::string shown = fmt::format("{} {}", type, fingerprint(key.get()));
    const HostKeyFinding finding = known_hosts().find(key.get());
    switch (finding.state) {
      case HostKeyState::kKnown:
        return {};
      case HostKeyState::kRevoked:
        return Error{Code::kDenied,
                     fmt::format("its host key {} is marked @revoked in {}", shown, finding.where)};
      case HostKeyState::kChanged:
        if (settings_.host_key_policy == HostKeyPolicy::kOff) {
          log_.warning(
              "SSH to {}: the host key is not the one in {}; it is now {}; going on, as "
              "StrictHostKeyChecking is off",
              settings_.name(), finding.where, shown);
          return {};
        }
        return Error{
            Code::kDenied,
            fmt::format("its host key is not the one in {}, so it may be another machine; "
                        "it shows {}; if that is right: {} && {}",
                        finding.where, shown, forget_command(finding.file), note_command(type))};
      case HostKeyState::kUnknown:
        break;
    }
    if (settings_.host_key_policy == HostKeyPolicy::kStrict) {
      return Error{Code::kDenied, fmt::format("its host key is not known; it shows {}; if that is "
                                              "right: {}",
                                              shown, note_command(type))};
    }
    if (settings_.user_known_hosts.empty()) return {};
    const Status noted =
        note_host_key(settings_.user_known_hosts.front(), host_key_name_, key.get());
    if (noted.ok()) {
      log_.info("SSH to {}: noted its host key {} in {}", settings_.name(), shown,
                settings_.user_known_hosts.front());
    } else {
      log_.warning("SSH to {}: its host key {} is accepted but could not be noted: {}",
                   settings_.name(), shown, noted.error().message);
    }
    return {};
  }

  [[nodiscard]] std::string forget_command(const std::string& file) const {
    return fmt::format("ssh-keygen -R {} -f {}", shell_quote(host_key_name_), shell_quote(file));
  }

  [[nodiscard]] std::string note_command(const std::string& type) const {
    const std::string file = settings_.user_known_hosts.empty()
                                 ? std::string{"~/.ssh/known_hosts"}
                                 : shell_quote(settings_.user_known_hosts.front());
    if (!settings_.proxy_command.empty() || !settings_.host_key_alias.empty()) {
      return fmt::format("ssh -o StrictHostKeyChecking=accept-new -p {} {} true", settings_.port,
                         shell_quote(fmt::format("{}@{}", settings_.user, settings_.host)));
    }
    // ssh-keyscan(1) names types without "ssh-", and all of ECDSA's as one.
    std::string scan_type = type.starts_with("ecdsa") ? "ecdsa" : type;
    if (scan_type.starts_with("ssh-")) scan_type = scan_type.substr(4);
    return fmt::format("ssh-keyscan -t {} -p {} {} >> {}", scan_type, settings_.port,
                       shell_quote(settings_.hostname), file);
  }

  const SshSettings& settings_;
  Clock& clock_;
  Log& log_;
  const std::string host_key_name_;
};

}  // namespace

LibsshConnector::LibsshConnector(Clock& clock, Log& log, SshClientFiles files)
    : clock_(clock), log_(log), files_(std::move(files)) {}

Result<std::unique_ptr<RemoteShell>> LibsshConnector::connect(const SshTarget& target,
                                                              Deadline deadline) {
  Result<SshSettings> settings = resolve_ssh_settings(target, files_, clock_, log_, deadline);
  if (!settings.ok()) return settings.error();
  Result<Connection> connection = Connecting{settings.value(), clock_, log_}.run(deadline);
  if (!connection.ok()) {
    return connection.error().with_context("SSH to " + settings.value().name());
  }
  return std::unique_ptr<RemoteShell>{
      std::make_unique<LibsshShell>(target.host, std::move(connection).value())};
}

}  // namespace mha
