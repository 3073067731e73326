// Reading journals for people.
#include "cli/run_history.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include "cli/switch_conf.h"
#include "core/rollback.h"
#include "engine/summary.h"

namespace mha {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string outcome_of(const JournalSummary& summary, const JournalFile& journal) {
  std::string closed_because;
  for (const json& record : journal.records) {
    if (record.value("event", "") == "closed") closed_because = record.value("reason", "");
  }
  if (!closed_because.empty()) return closed_because;  // "rolled back", "carried on"
  if (!summary.ended) {
    return summary.past_point_of_no_return ? "not finished, past its point of no return"
                                           : "not finished";
  }
  switch (summary.ending) {
    case Ending::kDone:
      return "done";
    case Ending::kIncomplete:
      return "done, but incomplete";
    case Ending::kUndone:
      return "failed, put back as it was found";
    case Ending::kNotUndone:
      break;
  }
  return "failed, not all put back";
}

PastRun past_run(const JournalFile& journal, const RunFolders& folders) {
  const json& header = journal.records.front();
  const JournalSummary ended = summarize(journal);
  const OperationSummary summary = summary_of(journal);
  PastRun run;
  run.time = header.value("time", "");
  run.operation = header.value("operation", "");
  run.orig_master = summary.orig_master;
  run.new_master = summary.new_master;
  run.outcome = outcome_of(ended, journal);
  if (ended.ended) run.exit_code = static_cast<int>(ended.ending);
  if (summary.downtime.has_value()) {
    run.downtime_ms = std::chrono::duration<double, std::milli>(*summary.downtime).count();
  }
  const std::string kept =
      archive_folder(folders) + "/" + fs::path(journal.path).filename().string();
  std::error_code missing;
  run.journal = !folders.workdir.empty() && fs::exists(kept, missing) ? kept : journal.path;
  return run;
}

using Row = std::array<std::string, 7>;

Row row_of(const PastRun& run) {
  return {run.time,
          run.operation,
          fmt::format("{} -> {}", run.orig_master, run.new_master.empty() ? "?" : run.new_master),
          run.exit_code.has_value() ? fmt::format("{}", *run.exit_code) : "-",
          run.downtime_ms.has_value() ? fmt::format("{:.1f} ms", *run.downtime_ms) : "-",
          run.outcome,
          run.journal};
}

}  // namespace

std::vector<PastRun> past_runs(const RunFolders& folders) {
  std::vector<PastRun> runs;
  for (const JournalFile& journal : runs_of(folders)) runs.push_back(past_run(journal, folders));
  std::stable_sort(runs.begin(), runs.end(),
                   [](const PastRun& a, const PastRun& b) { return a.time < b.time; });
  return runs;
}

std::string history_text(const std::vector<PastRun>& runs, const RunFolders& folders) {
  if (runs.empty()) {
    const std::string archive = archive_folder(folders);
    return fmt::format("no past runs of {} in {}{}\n", folders.application, folders.state_dir,
                       archive.empty() ? "" : " or " + archive);
  }
  std::vector<Row> rows{
      {"began (UTC)", "operation", "masters", "exit", "downtime", "outcome", "journal"}};
  for (const PastRun& run : runs) rows.push_back(row_of(run));
  std::array<std::size_t, 7> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      text += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    text += row.back() + "\n";
  }
  return text;
}

json history_json(const std::vector<PastRun>& runs) {
  json all = json::array();
  for (const PastRun& run : runs) {
    json one{{"time", run.time},
             {"operation", run.operation},
             {"orig_master", run.orig_master},
             {"new_master", run.new_master},
             {"outcome", run.outcome},
             {"journal", run.journal}};
    if (run.exit_code.has_value()) one["exit_code"] = *run.exit_code;
    if (run.downtime_ms.has_value()) one["downtime_ms"] = *run.downtime_ms;
    all.push_back(std::move(one));
  }
  return json{{"runs", std::move(all)}};
}

Result<OutputFormat> output_format_from(const CommandLine& options) {
  const std::string format = options.text("format");
  if (format.empty() || format == "text") return OutputFormat::kText;
  if (format == "json") return OutputFormat::kJson;
  return Error{Code::kUsage, fmt::format("--format={}: use text or json", format)};
}

int run_history(Program& program) {
  const Result<OutputFormat> format = output_format_from(program.options);
  if (!format.ok()) return report_error(program, format.error());
  const std::string path = program.options.text("conf");
  if (path.empty()) return report_error(program, {Code::kUsage, "-c CONF is required"});
  const Result<MhaConf> conf = load_switch_conf(program, path);
  if (!conf.ok()) return report_error(program, conf.error());
  const RunFolders folders = run_folders(conf.value(), program.state_dir);
  const std::vector<PastRun> runs = past_runs(folders);
  if (format.value() == OutputFormat::kJson) {
    std::cout << history_json(runs).dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  } else {
    std::cout << history_text(runs, folders);
  }
  return 0;
}

}  // namespace mha
