// One file of the suite's own configuration: its hosts' settings, and what is wrong with it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/host_settings.h"

namespace mha {

struct HelperHost {
  HostSettings settings;
  int line = 0;  // of its section
};

struct HelperFile {
  std::string path;
  std::map<std::string, HelperHost> hosts;  // by host_key() of the section's name
  // What a host without a section gets, unless there are problems with that: options that [default]
  // leaves to the host sections, or no [default] at all. They are no fault of the file.
  HostSettings defaults;
  std::vector<Diagnostic> default_problems;
  // In file order. With an error among them only the names and lines of `hosts` can be relied on.
  std::vector<Diagnostic> diagnostics;
};

// Never fails: what is wrong is in the diagnostics.
HelperFile read_helper_file(const std::string& path);

}  // namespace mha
