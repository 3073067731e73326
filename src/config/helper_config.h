// The suite's own configuration, <config_dir>/*.conf: which settings hold for which host.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "config/diagnostic.h"
#include "config/helper_file.h"
#include "config/host_settings.h"

namespace mha {

// All *.conf files of one folder, as read once. Files are `[default]` and one section a host
// (facts: mha.md, "Its configuration"); a host's value overrides the default's, for every option. A
// file with an error disables only itself: its hosts are then answered with its errors.
class HelperConfig {
 public:
  // Fails (kConfig) only where the folder cannot be read or has no *.conf file. Names that begin
  // with a dot are left out.
  static Result<HelperConfig> load(const std::string& config_dir);

  // Remarks on all files, errors and warnings, in file order; then hosts that are in two files.
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

  // Settings of the host whose section's name is `host` or `ip`, or an equal address in another
  // spelling (either may be empty). No section: [default] where there is exactly one file, with a
  // warning in `warnings`; with several, an error that names them. Errors (kConfig): an error in
  // the host's file (its first diagnostic's text, and how many more), a host in two files or two
  // sections (names both), a single file whose [default] is missing or not enough for a host.
  struct Lookup {
    HostSettings settings;
    std::vector<std::string> warnings;  // remarks on the host's file, and how it was chosen
  };
  [[nodiscard]] Result<Lookup> find(const std::string& host, const std::string& ip) const;
  // Whether find() may find more by an address as well: no section has the name `host`, and some
  // are named by addresses.
  [[nodiscard]] bool needs_address_of(const std::string& host) const;

 private:
  [[nodiscard]] Result<Lookup> default_for(const std::string& host) const;

  std::string config_dir_;
  std::vector<HelperFile> files_;  // at least one
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace mha
