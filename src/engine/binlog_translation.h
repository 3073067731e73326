// mysqlbinlog (mariadb-binlog): found, and run over parts of log files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "engine/kept_file.h"
#include "ports/mysql_server.h"
#include "ports/remote_shell.h"
#include "ports/script.h"

namespace mha {

// Whole transactions that lie side by side in one file.
struct LogRange {
  std::string path;         // where the program runs
  std::uint64_t begin = 0;  // offsets in that file
  std::uint64_t end = 0;
  bool torn_behind = false;  // what follows is no event
};

struct Translator {
  ServerFamily family = ServerFamily::kMysql;
  std::string client_bindir;   // looked at first; "": PATH and the usual folders alone
  std::string remote_workdir;  // for what does not fit into one answer; "": /var/tmp
};

// What a shell says of the family's program: the path, or nothing. MariaDB's reads MySQL's logs
// without their GTIDs, so each family has its own.
std::string find_translator_command(const Translator& translator);

// Appends to `into` the statements of the ranges. The first runs the host's own program, the second
// the manager's, through `manager`. kRefused: there is none, or it failed; says which and how. What
// the first leaves in remote_workdir where the session is lost has "mha-salvage-" in its name.
Status translate_on_host(RemoteShell& host, const Translator& translator,
                         const std::vector<LogRange>& ranges, KeptFile& into, Deadline deadline);
Status translate_here(ScriptRunner& manager, const Translator& translator,
                      const std::vector<LogRange>& ranges, KeptFile& into, Deadline deadline);

}  // namespace mha
