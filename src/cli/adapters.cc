// Making the adapters, and handing them out as ports.
#include "cli/adapters.h"

#include <mutex>
#include <system_error>
#include <utility>

#include "base/private_folder.h"
#include "cli/cloud_login.h"
#include "cli/script_runner.h"
#include "http/curl_http_client.h"
#include "mysql/libmysql_server.h"
#include "ssh/kept_session.h"
#include "ssh/libssh_shell.h"
#include "vip/factory.h"

namespace mha {
namespace {

// Gives out the one session that was opened ahead, then connects like `otherwise`. Thread-safe.
class HandedOverConnector : public ShellConnector {
 public:
  explicit HandedOverConnector(ShellConnector& otherwise) : otherwise_(otherwise) {}

  void hand_over(const SshTarget& target, std::unique_ptr<RemoteShell> shell) {
    const std::lock_guard lock{mutex_};
    target_ = kept_session_name(target);
    shell_ = std::move(shell);
  }

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target,
                                               Deadline deadline) override {
    {
      const std::lock_guard lock{mutex_};
      if (shell_ != nullptr && kept_session_name(target) == target_) return std::move(shell_);
    }
    return otherwise_.connect(target, deadline);
  }

 private:
  ShellConnector& otherwise_;
  std::mutex mutex_;
  std::string target_;
  std::unique_ptr<RemoteShell> shell_;
};

}  // namespace

struct Adapters::Parts {
  explicit Parts(Program& the_program)
      : program(the_program),
        mysql(the_program.clock),
        ssh(the_program.clock, the_program.log),
        kept_first(sessions_folder(), ssh, the_program.clock, the_program.log),
        handed_over(ssh),
        shell(&ssh),
        http(the_program.clock, the_program.log),
        drivers({http, environ, the_program.clock, the_program.log}),
        vip([this](const VipSite& site, const VipSite* counterpart, RemoteShell* open_shell) {
          return drivers.make(site, counterpart, open_shell);
        }),
        scripts(make_script_runner(the_program.clock)) {}

  [[nodiscard]] std::string sessions_folder() const { return program.state_dir + "/sessions"; }

  Program& program;
  LibmysqlConnector mysql;
  LibsshConnector ssh;
  KeptFirstConnector kept_first;
  HandedOverConnector handed_over;
  ShellConnector* shell;  // which of the three the core gets
  CurlHttpClient http;
  Environ environ = &variable_of_process;
  VipDrivers drivers;
  VipDriverFactory vip;
  std::unique_ptr<ScriptRunner> scripts;
};

Adapters::Adapters(Program& program) : parts_(std::make_unique<Parts>(program)) {}
Adapters::~Adapters() = default;

Environment Adapters::environment() {
  Program& program = parts_->program;
  return Environment{NodePorts{parts_->mysql, *parts_->shell, parts_->vip},
                     program.clock,
                     program.log,
                     program.interrupt,
                     program.state_dir,
                     parts_->scripts.get()};
}

Status Adapters::keep_session(const SshTarget& target, std::chrono::seconds keep,
                              Deadline deadline) {
  if (Status made = ensure_private_folder(parts_->program.state_dir); !made.ok()) return made;
  const KeepOptions options{parts_->sessions_folder(), keep, keep + std::chrono::minutes{5}};
  Result<std::unique_ptr<KeptShell>> kept =
      mha::keep_session(target, parts_->ssh, options, parts_->program.clock, deadline);
  if (!kept.ok()) return kept.error();
  parts_->handed_over.hand_over(target, std::move(kept).value());
  parts_->shell = &parts_->handed_over;
  return {};
}

void Adapters::use_kept_session() { parts_->shell = &parts_->kept_first; }

}  // namespace mha
