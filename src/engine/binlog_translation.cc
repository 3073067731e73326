// Commands for the host's shell and for ours.
#include "engine/binlog_translation.h"

#include <fmt/core.h>

#include <cstdlib>
#include <utility>

#include "base/secret.h"
#include "base/shell_quote.h"
#include "engine/remote_logs.h"

namespace mha {
namespace {

// A shell takes 128 KiB as one argument (MAX_ARG_STRLEN), and a command over SSH is one.
constexpr std::size_t kLongestCommand = std::size_t{60} * 1024;
// So many bytes of a log are statements of less than the 16 MiB that a session takes, even
// where row events are compressed.
constexpr std::uint64_t kSmall = std::uint64_t{1} << 16U;
// What a command of ours exits with where there is no program.
constexpr int kNoProgram = 66;

std::string names_of(ServerFamily family) {
  return family == ServerFamily::kMariadb ? "mariadb-binlog mysqlbinlog" : "mysqlbinlog";
}

std::string range_command(const LogRange& range) {
  // MySQL's looks at the event behind the end as well, and fails where that is none.
  if (range.torn_behind) {
    return fmt::format("head -c {} -- {} | \"$mysqlbinlog\" --no-defaults --start-position={} -",
                       range.end, shell_quote(range.path), range.begin);
  }
  return fmt::format("\"$mysqlbinlog\" --no-defaults --start-position={} --stop-position={} -- {}",
                     range.begin, range.end, shell_quote(range.path));
}

// The ranges in as many commands as it takes; each looks for the program by itself, which saves a
// round trip where there is but one.
std::vector<std::string> range_commands(const Translator& translator,
                                        const std::vector<LogRange>& ranges) {
  const std::string setup = fmt::format("mysqlbinlog=$({}); [ -n \"$mysqlbinlog\" ] || exit {}",
                                        find_translator_command(translator), kNoProgram);
  std::vector<std::string> commands;
  std::string command;
  for (const LogRange& range : ranges) {
    if (command.size() > kLongestCommand) commands.push_back(std::exchange(command, {}));
    command += (command.empty() ? setup + "; " : " && ") + range_command(range);
  }
  if (!command.empty()) commands.push_back(command);
  return commands;
}

Error no_translator(const std::string& where, const Translator& translator) {
  const bool mariadb = translator.family == ServerFamily::kMariadb;
  return {
      Code::kRefused,
      fmt::format("no {} on {}: looked for it in {}PATH, /usr/bin, /usr/sbin, /usr/local/bin and "
                  "/usr/local/mysql/bin; install it there, or set client_bindir to its folder",
                  mariadb ? "mariadb-binlog (or MariaDB's mysqlbinlog)" : "MySQL's mysqlbinlog",
                  where, translator.client_bindir.empty() ? "" : translator.client_bindir + ", ")};
}

Error failed(const std::string& where, const std::string& words, int status) {
  return {Code::kRefused,
          fmt::format("mysqlbinlog on {} failed: {}", where,
                      words.empty() ? fmt::format("exit status {}", status) : words)};
}

// The folder of one translation on a host, removed when this goes.
class RemoteFolder {
 public:
  static Result<RemoteFolder> make(RemoteShell& host, const std::string& workdir,
                                   Deadline deadline) {
    const std::string parent = workdir.empty() ? "/var/tmp" : workdir;
    const Result<CommandOutput> made = host.run(
        fmt::format("umask 077; mktemp -d -- {}", shell_quote(parent + "/mha-salvage-XXXXXXXX")),
        deadline);
    if (!made.ok()) return made.error();
    std::string path = made.value().out.substr(0, made.value().out.find('\n'));
    if (made.value().exit_status != 0 || !path.starts_with(parent + "/mha-salvage-")) {
      return Error{Code::kRefused, fmt::format("making a folder in {} on {} (remote_workdir): {}",
                                               parent, host.host(), first_words(made.value().err))};
    }
    return RemoteFolder{host, std::move(path), deadline};
  }
  RemoteFolder(RemoteFolder&& other) noexcept
      : host_(other.host_), path_(std::exchange(other.path_, {})), deadline_(other.deadline_) {}
  RemoteFolder& operator=(RemoteFolder&&) = delete;
  RemoteFolder(const RemoteFolder&) = delete;
  RemoteFolder& operator=(const RemoteFolder&) = delete;
  // Best effort: where the session is lost, an error has been given already.
  ~RemoteFolder() {
    if (path_.empty()) return;
    static_cast<void>(host_.run(fmt::format("rm -rf -- {}", shell_quote(path_)), deadline_));
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  RemoteFolder(RemoteShell& host, std::string path, Deadline deadline)
      : host_(host), path_(std::move(path)), deadline_(deadline) {}

  RemoteShell& host_;
  std::string path_;
  Deadline deadline_;
};

Result<std::string> run_on(RemoteShell& host, const Translator& translator,
                           const std::string& command, Deadline deadline) {
  Result<CommandOutput> output = host.run(command, deadline);
  if (!output.ok()) return output.error().with_context("mysqlbinlog on " + host.host());
  if (output.value().exit_status == kNoProgram) return no_translator(host.host(), translator);
  if (output.value().exit_status != 0) {
    return failed(host.host(), first_words(output.value().err), output.value().exit_status);
  }
  return std::move(output.value().out);
}

// By a file on the host, copied piece by piece.
Status translate_by_file(RemoteShell& host, const Translator& translator,
                         const std::vector<std::string>& commands, KeptFile& into,
                         Deadline deadline) {
  const Result<RemoteFolder> folder = RemoteFolder::make(host, translator.remote_workdir, deadline);
  if (!folder.ok()) return folder.error();
  const std::string file = folder.value().path() + "/statements";
  for (const std::string& command : commands) {
    const Result<std::string> done =
        run_on(host, translator,
               fmt::format("TMPDIR={}; export TMPDIR; umask 077; {{ {}; }} >>{}",
                           shell_quote(folder.value().path()), command, shell_quote(file)),
               deadline);
    if (!done.ok()) return done.error();
  }
  const Result<std::string> size =
      run_on(host, translator, fmt::format("stat -c %s -- {}", shell_quote(file)), deadline);
  if (!size.ok()) return size.error();
  return copy_bytes(host, file, 0, std::strtoull(size.value().c_str(), nullptr, 10), into,
                    deadline);
}

}  // namespace

std::string find_translator_command(const Translator& translator) {
  const bool mariadb = translator.family == ServerFamily::kMariadb;
  // Its help names its maker; what cannot run at all is passed over. Every folder is looked at: the
  // first mysqlbinlog may be the other family's.
  return fmt::format(
      "PATH={}$PATH:/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/mysql/bin; IFS=:; set -f; "
      "for d in $PATH; do for p in {}; do p=$d/$p; [ -x \"$p\" ] || continue; "
      "h=$(\"$p\" --no-defaults --help 2>/dev/null) || continue; "
      "case $h in *MariaDB*) f=mariadb;; *) f=mysql;; esac; [ $f = {} ] || continue; "
      "printf '%s\\n' \"$p\"; exit; done; done",
      translator.client_bindir.empty() ? "" : shell_quote(translator.client_bindir) + ":",
      names_of(translator.family), mariadb ? "mariadb" : "mysql");
}

Status translate_on_host(RemoteShell& host, const Translator& translator,
                         const std::vector<LogRange>& ranges, KeptFile& into, Deadline deadline) {
  const std::vector<std::string> commands = range_commands(translator, ranges);
  std::uint64_t bytes = 0;
  for (const LogRange& range : ranges) bytes += range.end - range.begin;
  if (bytes > kSmall || commands.size() > 1) {
    return translate_by_file(host, translator, commands, into, deadline);
  }
  for (const std::string& command : commands) {
    const Result<std::string> statements = run_on(host, translator, command, deadline);
    if (!statements.ok()) return statements.error();
    if (const Status kept = into.append(statements.value()); !kept.ok()) return kept;
  }
  return {};
}

Status translate_here(ScriptRunner& manager, const Translator& translator,
                      const std::vector<LogRange>& ranges, KeptFile& into, Deadline deadline) {
  // Its answer and its words come in files: the runner gives neither.
  const std::string words_path = into.part() + ".words";
  Result<KeptFile> words = KeptFile::create(words_path);
  if (!words.ok()) return words.error();
  const std::string words_file = words.value().part();
  const std::string where = "this host";
  for (const std::string& command : range_commands(translator, ranges)) {
    const Result<int> status =
        manager.run(Secret{fmt::format("{{ {}; }} >>{} 2>{}", command, shell_quote(into.part()),
                                       shell_quote(words_file))},
                    deadline);
    if (!status.ok()) return status.error().with_context("mysqlbinlog on " + where);
    if (status.value() == kNoProgram) return no_translator(where, translator);
    if (status.value() == 0) continue;
    const Result<std::string> said = pieces_of_file(words_file)();
    return failed(where, said.ok() ? first_words(said.value()) : "", status.value());
  }
  return {};
}

}  // namespace mha
