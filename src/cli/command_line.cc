// Normalising the spellings, then Boost.Program_options.
#include "cli/command_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace mha {
namespace {

namespace po = boost::program_options;

// "--orig-master-host=x" -> "--orig_master_host=x"
std::string with_underscores(const std::string& argument) {
  if (!argument.starts_with("--")) return argument;
  const std::size_t end = std::min(argument.find('='), argument.size());
  std::string changed = argument;
  std::replace(changed.begin() + 2, changed.begin() + static_cast<std::ptrdiff_t>(end), '-', '_');
  return changed;
}

// Boost refuses "--opt=" as an empty adjacent value, and MHA sends it for an empty password: given
// apart it is accepted.
std::vector<std::string> normalize(const std::vector<std::string>& arguments) {
  std::vector<std::string> normal;
  for (const std::string& argument : arguments) {
    const std::string spelt = with_underscores(argument);
    if (spelt.starts_with("--") && spelt.size() > 3 && spelt.find('=') == spelt.size() - 1) {
      normal.push_back(spelt.substr(0, spelt.size() - 1));
      normal.emplace_back();
    } else {
      normal.push_back(spelt);
    }
  }
  return normal;
}

// Also those that only another MHA version sends, and a person's misspelling of ours. A file's name
// is no secret.
bool names_a_secret(std::string_view option) {
  const auto has = [option](std::string_view word) {
    return option.find(word) != std::string_view::npos;
  };
  return option.starts_with("--") && !option.ends_with("file") &&
         (has("pass") || has("secret") || has("token"));
}

// An unknown option's value may be a password of another MHA version: only the name is kept.
std::string without_value(const std::string& word) { return word.substr(0, word.find('=')); }

}  // namespace

Result<CommandLine> CommandLine::parse(const std::vector<std::string>& arguments,
                                       const po::options_description& described,
                                       UnknownOptions unknown) {
  CommandLine line;
  try {
    po::command_line_parser parser(normalize(arguments));
    parser.options(described);
    // No guessing of abbreviations: a hook's caller may send an option whose name begins like one
    // of ours.
    parser.style((po::command_line_style::unix_style & ~po::command_line_style::allow_guessing) |
                 po::command_line_style::allow_long);
    if (unknown == UnknownOptions::kWarn) parser.allow_unregistered();
    const po::parsed_options parsed = parser.run();
    for (const auto& option : parsed.options) {
      if (option.position_key >= 0) {
        // A word that belongs to no option. To a hook it may be the value of one that it does not
        // know.
        if (unknown == UnknownOptions::kRefuse) {
          return Error{Code::kUsage,
                       fmt::format("'{}' is no option", option.original_tokens.front())};
        }
        continue;
      }
      if (!option.unregistered) continue;
      for (const std::string& token : option.original_tokens) {
        if (token.starts_with("-")) line.unknown_.push_back(without_value(token));
      }
    }
    po::store(parsed, line.values_);
    po::notify(line.values_);
  } catch (const po::unknown_option& error) {
    return Error{Code::kUsage,
                 fmt::format("unrecognised option '{}'", without_value(error.get_option_name()))};
  } catch (const po::error& error) {
    return Error{Code::kUsage, error.what()};
  }
  return line;
}

std::string CommandLine::text(const std::string& name) const {
  return optional_text(name).value_or("");
}

std::optional<std::string> CommandLine::optional_text(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  return values_[name].as<std::string>();
}

Result<std::optional<std::int64_t>> CommandLine::number(const std::string& name, std::int64_t least,
                                                        std::int64_t most) const {
  const std::optional<std::string> given = optional_text(name);
  if (!given.has_value()) return std::optional<std::int64_t>{};
  std::int64_t value = 0;
  const char* end = given->data() + given->size();
  const auto read = std::from_chars(given->data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value < least || value > most) {
    return Error{Code::kUsage, fmt::format("--{}={}: must be a whole number from {} to {}", name,
                                           *given, least, most)};
  }
  return std::optional<std::int64_t>{value};
}

Result<std::optional<std::uint16_t>> CommandLine::port(const std::string& name) const {
  if (text(name).empty()) return std::optional<std::uint16_t>{};
  const Result<std::optional<std::int64_t>> value = number(name, 1, 65535);
  if (!value.ok()) return value.error();
  return std::optional<std::uint16_t>{static_cast<std::uint16_t>(*value.value())};
}

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  bool next_is_secret = false;
  for (int i = 1; i < argc; ++i) {
    arguments.emplace_back(argv[i]);
    const std::string_view argument = arguments.back();
    const std::size_t equals = argument.find('=');
    const bool is_secret = names_a_secret(argument.substr(0, equals));
    if (next_is_secret) wipe(argv[i], argument.size());
    if (is_secret && equals != std::string_view::npos) {
      wipe(argv[i] + equals + 1, argument.size() - equals - 1);
    }
    next_is_secret = is_secret && equals == std::string_view::npos;
  }
  return arguments;
}

}  // namespace mha
