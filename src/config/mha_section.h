// One section of MHA's configuration over the one behind it, combined as MHA does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/diagnostic.h"
#include "config/ini_reader.h"

namespace mha {

// The values of a section, by parameter name; passwords apart.
struct MhaValues {
  std::map<std::string, std::string> texts;
  std::map<std::string, Secret> passwords;

  // "" where there is none.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] Secret password(const std::string& name) const;
};

// A section as written: its parts joined where the file has it several times, the last value of a
// key counting.
class MhaSection {
 public:
  MhaSection(std::string file, std::string name, int line);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int line() const { return line_; }

  // Adds the rows to what is there, and remarks on them to what remarks() gives: unknown keys,
  // values that MHA refuses, ports that are none, keys given twice. Never shows a password.
  void add(const IniSection& part);
  [[nodiscard]] const std::vector<Diagnostic>& remarks() const { return remarks_; }

  // Parameters that MHA ignores in [server default], where this is one.
  [[nodiscard]] std::vector<Diagnostic> ignored_as_default() const;

  // This section, what it inherits, MHA's built-in defaults, in this order. Quotes around a value
  // go away, one pair for each section that the value comes through: MHA does so.
  [[nodiscard]] MhaValues over(const MhaValues& inherited) const;

  // A remark at `key`'s line, or at the section's where it has no such key.
  [[nodiscard]] Diagnostic remark(Severity severity, const std::string& key,
                                  std::string message) const;

 private:
  void check(const IniRow& row);
  void check_name(const IniRow& row);

  std::string file_;
  std::string name_;
  int line_;
  MhaValues own_;
  std::map<std::string, int> lines_;  // of keys
  std::vector<Diagnostic> remarks_;
};

}  // namespace mha
