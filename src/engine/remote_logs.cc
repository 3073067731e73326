// stat, tail and head over SSH.
#include "engine/remote_logs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/shell_quote.h"
#include "engine/binlog_position.h"
#include "engine/kept_file.h"

namespace mha {
namespace {

// Of one command: far below what a session takes, and little memory.
constexpr std::uint64_t kPiece = std::uint64_t{2} << 20U;

bool is_plain_folder(const std::string& folder) {
  return folder.starts_with('/') && std::ranges::none_of(folder, [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
         });
}

// A line "SIZE NAME".
std::optional<RemoteLogFile> parse_line(std::string_view line, std::string_view base) {
  RemoteLogFile file;
  const char* end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, file.size);
  if (error != std::errc{} || rest == end || *rest != ' ') return std::nullopt;
  file.name.assign(rest + 1, end);
  const Result<BinlogPosition> position = BinlogPosition::make(file.name, 0);
  if (!position.ok() || position.value().base() != base) return std::nullopt;
  file.number = position.value().number();
  return file;
}

Error cannot_read(RemoteShell& host, const std::string& path, const CommandOutput& output) {
  const std::string words = first_words(output.err);
  const bool denied = words.find("ermission denied") != std::string::npos;
  return {Code::kRefused,
          fmt::format(
              "reading {} on {}: {}{}", path, host.host(),
              words.empty() ? fmt::format("it gave {} bytes only", output.out.size()) : words,
              denied ? "; let the SSH user read it: usermod -a -G mysql USER, on that host" : "")};
}

}  // namespace

std::string first_words(const std::string& standard_error) {
  constexpr std::size_t kLongest = 300;
  std::string words;
  for (const char c : standard_error.substr(0, standard_error.find('\n'))) {
    if (words.size() >= kLongest) break;
    words += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? ' ' : c;
  }
  return words;
}

Result<RemoteLogs> list_logs(RemoteShell& host, const std::vector<std::string>& folders,
                             const std::string& base, Deadline deadline) {
  std::string command = "for d in";
  for (const std::string& folder : folders) {
    if (!is_plain_folder(folder)) {
      return Error{Code::kRefused,
                   fmt::format("'{}' is no folder for binary logs: master_binlog_dir has absolute "
                               "paths, separated by commas",
                               first_words(folder))};
    }
    command += " " + shell_quote(folder);
  }
  // The folder's name comes back, since it is the first that has some.
  command += fmt::format(
      "; do cd \"$d\" || continue; [ -r . ] || echo \"$d: Permission denied\" >&2; set -- "
      "{0}.[0-9]*; [ -e \"$1\" ] || continue; printf '%s\\n' "
      "\"$d\"; exec stat -L -c '%s %n' -- \"$@\"; done",
      shell_quote(base));
  const Result<CommandOutput> output = host.run(command, deadline);
  if (!output.ok()) {
    return output.error().with_context("listing the binary logs on " + host.host());
  }
  std::string_view rest = output.value().out;
  RemoteLogs logs;
  for (bool first = true; !rest.empty(); first = false) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (first) {
      logs.folder = line;
    } else if (auto file = parse_line(line, base)) {
      logs.files.push_back(*std::move(file));
    }
  }
  if (logs.files.empty()) {
    const std::string words = first_words(output.value().err);
    return Error{
        Code::kRefused,
        fmt::format("no file {}.NUMBER on {} in {}{}{}; set master_binlog_dir to the "
                    "folder that has them, and let the SSH user read it (group mysql)",
                    base, host.host(), fmt::join(folders, ", "), words.empty() ? "" : ": ", words)};
  }
  std::ranges::sort(logs.files, {}, &RemoteLogFile::number);
  return logs;
}

Result<std::string> read_bytes(RemoteShell& host, const std::string& path, std::uint64_t from,
                               std::uint64_t to, Deadline deadline) {
  const std::string command =
      fmt::format("tail -c +{} -- {} | head -c {}", from + 1, shell_quote(path), to - from);
  Result<CommandOutput> output = host.run(command, deadline);
  if (!output.ok()) {
    return output.error().with_context(fmt::format("reading {} on {}", path, host.host()));
  }
  if (output.value().out.size() != to - from) return cannot_read(host, path, output.value());
  return std::move(output.value().out);
}

Status copy_bytes(RemoteShell& host, const std::string& path, std::uint64_t from, std::uint64_t to,
                  KeptFile& into, Deadline deadline) {
  for (std::uint64_t at = from; at < to; at += kPiece) {
    const Result<std::string> piece =
        read_bytes(host, path, at, std::min(to, at + kPiece), deadline);
    if (!piece.ok()) return piece.error();
    if (const Status kept = into.append(piece.value()); !kept.ok()) return kept;
  }
  return {};
}

}  // namespace mha
