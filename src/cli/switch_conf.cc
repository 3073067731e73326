// Running init_conf_load_script.
#include "cli/switch_conf.h"

#include <fmt/core.h>

#include <utility>

#include "engine/script_command.h"
#include "ssh/child_process.h"

namespace mha {
namespace {

constexpr Milliseconds kScriptTime{10'000};

Result<Secret> run_conf_script(const Program& program, const std::string& command) {
  Result<ProgramOutput> output = run_program({"/bin/sh", "-c", command}, program.clock,
                                             program.clock.deadline_after(kScriptTime));
  if (!output.ok()) return output.error();
  Secret printed{std::move(output.value().out)};
  // MHA would go on, with users that it does not have.
  if (output.value().exit_status != 0) {
    return Error{Code::kConfig, fmt::format("{} ended with exit status {}", script_name(command),
                                            output.value().exit_status)};
  }
  return printed;
}

}  // namespace

Result<MhaConf> load_switch_conf(const Program& program, const std::string& path) {
  return load_mha_conf(path, kMhaGlobalFile, [&program](const std::string& command) {
    return run_conf_script(program, command);
  });
}

}  // namespace mha
