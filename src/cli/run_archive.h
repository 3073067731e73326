// Where the journals and logs of an application's runs lie, and keeping them in manager_workdir.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/run_console.h"
#include "config/mha_conf.h"
#include "core/journal.h"
#include "ports/clock.h"

namespace mha {

struct RunFolders {
  std::string application;
  std::vector<std::pair<std::string, std::uint16_t>> hosts;  // of the conf
  std::string state_dir;
  std::string workdir;  // manager_workdir; empty: the conf names none
};

// MHA's built-in manager_workdir (/var/tmp, which is cleaned now and then) is none.
RunFolders run_folders(const MhaConf& conf, const std::string& state_dir);

// What `console` tells goes to the conf's manager_log too, where it names one.
void append_to_manager_log(const MhaConf& conf, RunConsole& console);

// "<manager_workdir>/<application>.runs"; empty where there is no workdir.
std::string archive_folder(const RunFolders& folders);

// The journals of our engine's operations that are about a host of the conf, by their newest
// version, in no order: from the state folder, and from the archive those that are no longer there.
std::vector<JournalFile> runs_of(const RunFolders& folders);

// A journal stays in the state folder, where --resume and --rollback look for it, and is copied to
// the archive, where it is kept with the cluster's other papers; its log goes there (mode 0600,
// each file whole or not at all). All journals that have changed since they were copied are: those
// of killed runs too. One whose process is still at work is left alone. The folder is made (0700).
// A failure is a warning, and everything stays where it is.
void archive_runs(const RunFolders& folders, Clock& clock, Log& log);

}  // namespace mha
