// A program's command line, read with Boost.Program_options in the spellings that MHA's users know.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"

namespace mha {

// What to do with an option that the program does not know: MHA of another version sends others to
// its hooks, while a person has mistyped.
enum class UnknownOptions { kWarn, kRefuse };

class CommandLine {
 public:
  // `name`, `_` and `-` alike, `--opt=value` and `--opt value`, `--opt=` for an empty value; short
  // options as described. Errors are kUsage. `argv` is left as it is.
  static Result<CommandLine> parse(const std::vector<std::string>& arguments,
                                   const boost::program_options::options_description& described,
                                   UnknownOptions unknown);

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) > 0; }
  // "" where absent.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> optional_text(const std::string& name) const;
  // Nullopt where absent or empty; kUsage where it is no port.
  [[nodiscard]] Result<std::optional<std::uint16_t>> port(const std::string& name) const;
  // Nullopt where absent; kUsage where it is no whole number in [least, most].
  [[nodiscard]] Result<std::optional<std::int64_t>> number(const std::string& name,
                                                           std::int64_t least,
                                                           std::int64_t most) const;

  // Words that no option took, for UnknownOptions::kWarn; without values.
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  boost::program_options::variables_map values_;
  std::vector<std::string> unknown_;
};

// Copies argv[1..], and overwrites the values of options that are named for a password, secret or
// token in argv itself, so that they vanish from the process list as soon as we run: whether the
// options are known is not asked.
std::vector<std::string> take_arguments(int argc, char** argv);

}  // namespace mha
