// The one table of the suite's own options: adding an option is adding a row here (and its sample).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

// The parser of a row whose value goes into one member as it is.
template <typename Owner, typename T, typename Parse>
auto into(T Owner::*member, Parse parse) {
  return [member, parse](std::string_view text) -> Result<OptionAssignment> {
    auto value = parse(text);
    if (!value.ok()) {
      return value.error();
    }
    return OptionAssignment{
        [member, value = std::move(value).value()](HostDraft& draft) { draft.*member = value; }};
  };
}

// What is wrong with options that were all valid by themselves.
struct OptionProblem {
  std::string key;
  std::string message;      // without file and key; not needed for a missing one
  std::string missing_for;  // "aws_mode = route": the key is missing, and this needs it
};

// In the order in which people would read about them.
const std::vector<KnownOption>& known_options();

// nullptr where there is none of this name (lower case).
const KnownOption* find_option(std::string_view name);

// "; did you mean 'x'?" or "".
std::string option_suggestion(std::string_view name);

}  // namespace mha
