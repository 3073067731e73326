// Making the adapters, and handing them out as ports.
#include "cli/adapters.h"

#include <utility>

#include "mysql/libmysql_server.h"
#include "ssh/libssh_shell.h"
#include "vip/factory.h"

namespace mha {

struct Adapters::Parts {
  explicit Parts(Program& the_program)
      : program(the_program),
        mysql(the_program.clock),
        ssh(the_program.clock, the_program.log),
        vip([this](const HostSettings& settings, const std::string& host, RemoteShell* shell) {
          return make_vip_driver(settings, host, shell, program.clock, program.log);
        }) {}

  Program& program;
  LibmysqlConnector mysql;
  LibsshConnector ssh;
  VipDriverFactory vip;
};

Adapters::Adapters(Program& program) : parts_(std::make_unique<Parts>(program)) {}
Adapters::~Adapters() = default;

Environment Adapters::environment() {
  Program& program = parts_->program;
  return Environment{NodePorts{parts_->mysql, parts_->ssh, parts_->vip}, program.clock, program.log,
                     program.interrupt, program.state_dir};
}

Status Adapters::keep_session(const SshTarget& /*target*/, std::chrono::seconds /*keep*/,
                              Deadline /*deadline*/) {
  return {};
}

void Adapters::use_kept_session(const SshTarget& /*target*/) {}

}  // namespace mha
