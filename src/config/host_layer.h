// Settings of one section while they are read, and what is settled once all of them are known.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/host_settings.h"
#include "config/known_options.h"

namespace mha {

struct Place {
  std::string section;
  int line = 0;
};

// The settings of [default], or of a host on top of it, and where each key was last written.
struct HostLayer {
  HostDraft draft;
  std::map<std::string, Place, std::less<>> places;
  bool has_bad_value = false;  // here or below: then checks across options would mislead
};

struct SettledHost {
  HostSettings settings;             // without `host`
  std::vector<Diagnostic> problems;  // of options that do not go together, or lack each other
};

// Fills in defaults that depend on other options and checks options against each other. `here` is
// the section's own place, for what is written nowhere.
SettledHost settle(const std::string& file, const Place& here, const HostLayer& layer);

}  // namespace mha
