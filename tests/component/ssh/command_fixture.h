// Sessions for the tests of commands.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "component/ssh/ssh_test_base.h"

namespace mha {

class CommandTest : public SharedSshdTest {
 protected:
  std::unique_ptr<RemoteShell> session(const TestSshd& sshd) {
    Result<std::unique_ptr<RemoteShell>> shell = connect(sshd.target(), sshd.client_files());
    if (!shell.ok()) throw std::runtime_error(shell.error().message);
    return std::move(shell).value();
  }
  std::unique_ptr<RemoteShell> session() { return session(*sshd_); }

  // Where it must have run.
  CommandOutput output_of(RemoteShell& shell, const std::string& command) {
    Result<CommandOutput> output = shell.run(command, in(20000));
    if (output.ok()) return std::move(output).value();
    ADD_FAILURE() << output.error().message;
    return {};
  }
};

}  // namespace mha
