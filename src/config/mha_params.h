// The parameters that MHA 0.58 knows: which are inherited, their defaults, and what their values
// may be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mha {

enum class MhaInheritance {
  kInherited,   // from [server default]
  kOwnSection,  // counts in a host's own section only; MHA ignores it in [server default]
};

// When MHA takes its built-in default.
enum class MhaDefaulting {
  kWhereMissing,
  kWhereFalse,  // also where the inherited value is empty or 0
};

enum class MhaValueKind {
  kText,
  kPort,
  kPositive,
  kPingType,
  kPassword,
  kHost,     // MHA takes anything that resolves
  kSshHost,  // also an alias of ssh's configuration
  kSshUser,
};

struct MhaParam {
  std::string_view name;
  MhaInheritance inheritance;
  MhaValueKind kind = MhaValueKind::kText;
  std::string_view default_text = {};  // empty: none
  MhaDefaulting defaulting = MhaDefaulting::kWhereMissing;
};

// Source: M:lib/MHA/Config.pm, its list of names and parse_server.
const std::vector<MhaParam>& mha_params();

// nullptr where MHA refuses the name (it minds the case).
const MhaParam* find_mha_param(std::string_view name);

// "; did you mean 'x'?" or "".
std::string mha_param_suggestion(std::string_view name);

}  // namespace mha
