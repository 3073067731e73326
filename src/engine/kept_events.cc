// The host's mysqlbinlog, else ours; then a count of what it printed.
#include "engine/kept_events.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "base/binlog_script.h"
#include "engine/kept_file.h"

namespace mha {
namespace {

Result<std::uint64_t> count_transactions(const std::string& path) {
  BinlogScript script{pieces_of_file(path)};
  ScriptTransactions transactions;
  while (true) {
    const Result<std::optional<std::string_view>> statement = script.next();
    if (!statement.ok()) return statement.error();
    if (!statement.value().has_value()) break;
    transactions.take(*statement.value());
  }
  return transactions.count();
}

bool is_lost(const Error& error) {
  return error.code == Code::kTimeout || error.code == Code::kUnreachable;
}

}  // namespace

void KeptEvents::add(const LogCopy& copy, std::uint64_t begin, std::uint64_t end,
                     std::string name) {
  names_.push_back(std::move(name));
  const bool goes_on =
      !here_.empty() && here_.back().path == copy.path && here_.back().end == begin;
  if (goes_on) {
    here_.back().end = end;
    on_host_.back().end = end + copy.shift;
  } else {
    here_.push_back({copy.path, begin, end});
    on_host_.push_back({copy.remote_path, begin + copy.shift, end + copy.shift});
  }
}

void KeptEvents::mark_torn(const LogCopy& copy) {
  if (here_.empty() || here_.back().path != copy.path) return;
  here_.back().torn_behind = true;
  on_host_.back().torn_behind = true;
}

Status KeptEvents::translate(RemoteShell& host, ScriptRunner* manager, const EventsWanted& wanted,
                             KeptFile& into, Deadline deadline) const {
  const Translator translator{wanted.family, wanted.client_bindir, wanted.remote_workdir};
  const Status there = translate_on_host(host, translator, on_host_, into, deadline);
  if (there.ok() || manager == nullptr) return there;
  // What has come already would be in the file twice.
  if (const Status emptied = into.clear(); !emptied.ok()) return emptied;
  Status here = translate_here(*manager, translator, here_, into, deadline);
  if (here.ok()) return here;
  Error error = is_lost(here.error()) ? here.error() : there.error();
  error.message = fmt::format("{}; {}", there.error().message, here.error().message);
  return error;
}

Result<SavedEvents> KeptEvents::keep(RemoteShell& host, ScriptRunner* manager,
                                     const EventsWanted& wanted, const LogCopies& copies,
                                     Deadline deadline) const {
  SavedEvents events;
  if (names_.empty()) {
    copies.remove();
    return events;
  }
  const auto failed = [&](Error error) {
    error.message += fmt::format("; {} transactions are in the raw logs that are kept in {}",
                                 names_.size(), copies.folder());
    return error;
  };
  Result<KeptFile> file = KeptFile::create(wanted.keep_as);
  if (!file.ok()) return failed(file.error());
  const Status translated = translate(host, manager, wanted, file.value(), deadline);
  if (!translated.ok()) return failed(translated.error());
  const Result<std::uint64_t> count = count_transactions(file.value().part());
  if (!count.ok()) return failed(count.error());
  if (count.value() != names_.size()) {
    return failed({Code::kRefused,
                   fmt::format("mysqlbinlog printed {} transactions, and the logs of {} have {}",
                               count.value(), host.host(), names_.size())});
  }
  if (const Status kept = file.value().commit(); !kept.ok()) return failed(kept.error());
  const Result<std::uint64_t> size = size_of_file(wanted.keep_as);
  if (!size.ok()) return failed(size.error());
  copies.remove();
  events.file = wanted.keep_as;
  events.bytes = size.value();
  events.transactions = names_;
  return events;
}

Status rename_saved_events(SavedEvents& events, const std::string& path) {
  if (std::rename(events.file.c_str(), path.c_str()) != 0) {
    return Error{Code::kInternal,
                 fmt::format("{} cannot become {}: {}", events.file, path, std::strerror(errno))};
  }
  events.file = path;
  return {};
}

std::string loads_a_file(const std::string& transaction, const LogCopies& copies) {
  return fmt::format(
      "transaction {} is LOAD DATA as a statement, whose data mysqlbinlog puts into "
      "files of their own; apply it by hand from the raw logs, which are kept in {}",
      transaction, copies.folder());
}

}  // namespace mha
