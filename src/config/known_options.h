// The one table of the suite's own options: adding an option is adding a row here (and its sample).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/host_settings.h"

namespace mha {

// Settings while they are read: what has a default that depends on other options stays apart until
// all of them are known.
struct HostDraft : HostSettings {
  std::optional<std::uint16_t> port_in_smtp_host;
  std::optional<std::uint16_t> smtp_port_written;
  std::optional<std::chrono::seconds> operation_timeout_written;
};

using OptionAssignment = std::function<void(HostDraft&)>;

struct KnownOption {
  std::string_view name;
  std::string_view syntax;        // what may be written, for people
  std::string_view default_text;  // as one would write it; empty: nothing
  std::string_view meaning;       // a sentence
  // Checks a trimmed value; what comes back puts it into a draft. The error's message (kConfig)
  // says what is wrong with the value and what to write, without file and key.
  std::function<Result<OptionAssignment>(std::string_view)> parse;
};

// In the order in which people would read about them.
const std::vector<KnownOption>& known_options();

// nullptr where there is none of this name (lower case).
const KnownOption* find_option(std::string_view name);

// "; did you mean 'x'?" or "".
std::string option_suggestion(std::string_view name);

}  // namespace mha
