// --engine, and refusing what the other engine does not have.
#include "cli/engine_choice.h"

#include <fmt/core.h>

#include "cli/program.h"

namespace mha {

void describe_engine_options(boost::program_options::options_description& described) {
  described.add_options()("engine", text_value()->value_name("native|mha"),
                          "who does the work: this program itself, or MHA (default native)")(
      "check", "only look: every reason not to, nothing changed (native)")(
      "dry_run", "print the plan and change nothing (native)")(
      "resume",
      "carry on what is unfinished: killed, or ended with 21; before the new master takes "
      "writes that is to put it back and begin anew (native)")(
      "rollback", "put back what is unfinished, and no more (native)");
}

Result<Engine> engine_from(const CommandLine& options,
                           const std::vector<std::string>& native_only) {
  const std::string given = options.text("engine");
  if (!given.empty() && given != "native" && given != "mha") {
    return Error{Code::kUsage, fmt::format("--engine={}: use native or mha", given)};
  }
  const Engine engine = given.empty()       ? kDefaultEngine
                        : given == "native" ? Engine::kNative
                                            : Engine::kMha;
  if (engine == Engine::kNative) {
    if (options.text("interactive") != "1") return engine;
    return Error{Code::kUsage,
                 "--interactive=1 is only for --engine=mha; look with --check or --dry_run first"};
  }
  std::vector<std::string> names{"check", "dry_run", "format", "resume", "rollback"};
  names.insert(names.end(), native_only.begin(), native_only.end());
  for (const std::string& name : names) {
    if (options.has(name)) {
      return Error{Code::kUsage, fmt::format("--{} is only for --engine=native", name)};
    }
  }
  return engine;
}

}  // namespace mha
