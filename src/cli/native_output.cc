// Text for people, one JSON document for machines.
#include "cli/native_output.h"

#include <fmt/core.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

namespace mha {
namespace {

using nlohmann::json;

json to_json(const std::vector<Problem>& problems) {
  json all = json::array();
  for (const Problem& problem : problems) {
    all.push_back({{"host", problem.host}, {"what", problem.what}, {"remedy", problem.remedy}});
  }
  return all;
}

void print(const json& document) {
  std::cout << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
}

// What an undone operation leaves: a dead master that was fenced stays fenced.
std::string_view put_back(OperationKind kind) {
  return kind == OperationKind::kFailover ? "the replicas are as they were found" : kAllPutBack;
}

constexpr int kRefused = static_cast<int>(Ending::kUndone);

}  // namespace

NativeOutput::NativeOutput(Program& program, RunConsole& console, OutputFormat format,
                           OperationKind kind, std::string operation)
    : program_(program),
      console_(console),
      format_(format),
      kind_(kind),
      operation_(std::move(operation)) {}

int NativeOutput::refused(const std::vector<Problem>& problems) {
  if (format_ == OutputFormat::kJson) {
    print({{"exit_code", kRefused}, {"problems", to_json(problems)}});
  }
  for (const Problem& problem : problems) program_.log.error("{}", problem.text());
  program_.log.error("{}: {} reason(s) not to; nothing was changed", operation_, problems.size());
  return kRefused;
}

int NativeOutput::checked(const std::vector<Problem>& problems, const OperationSummary& who) {
  if (!problems.empty()) return refused(problems);
  if (format_ == OutputFormat::kJson) {
    print({{"exit_code", 0},
           {"orig_master", who.orig_master},
           {"new_master", who.new_master},
           {"problems", json::array()}});
  } else {
    program_.log.info("{} from {} to {}: nothing speaks against it", operation_, who.orig_master,
                      who.new_master);
  }
  return 0;
}

int NativeOutput::described(const std::vector<std::string>& plan,
                            const std::vector<Problem>& problems, const OperationSummary& who) {
  const int exit_code = problems.empty() ? 0 : kRefused;
  if (format_ == OutputFormat::kJson) {
    print({{"exit_code", exit_code},
           {"orig_master", who.orig_master},
           {"new_master", who.new_master},
           {"plan", plan},
           {"problems", to_json(problems)}});
    return exit_code;
  }
  console_.drain();
  for (const std::string& line : plan) std::cout << line << "\n";
  std::cout << std::flush;
  for (const Problem& problem : problems) program_.log.error("{}", problem.text());
  return exit_code;
}

int NativeOutput::failed(const Error& error) {
  const int exit_code = report_error(program_, error);
  if (format_ == OutputFormat::kJson) print({{"exit_code", exit_code}, {"error", error.message}});
  return exit_code;
}

int NativeOutput::ended(const Outcome& outcome, const OperationSummary& summary) {
  if (format_ == OutputFormat::kJson) print(result_json(summary, outcome));
  Outcome headline = outcome;
  headline.leftovers.clear();
  const int exit_code = report_outcome(program_, operation_, headline, put_back(kind_));
  console_.put_lines(LogLevel::kInfo, summary_lines(kind_, summary, outcome));
  console_.put_lines(LogLevel::kError, left_to_do(summary, outcome));
  return exit_code;
}

int NativeOutput::rolled_back(const Outcome& outcome, const OperationSummary& summary) {
  if (outcome.ending != Ending::kUndone || outcome.headline.has_value()) {
    return ended(outcome, summary);
  }
  if (format_ == OutputFormat::kJson) {
    json document = result_json(summary, outcome);
    document["exit_code"] = 0;
    print(document);
  }
  program_.log.info("{}: rolled back; {}", operation_, put_back(kind_));
  return 0;
}

}  // namespace mha
