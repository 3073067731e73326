// What the fuzz targets share: the one function that each has, claims, and files that hold the
// input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mha::fuzz {

// Defined by each target. Gives any input to the parser and claims what must hold for all of them.
// Called from one thread, again and again in one process.
void try_input(std::string_view input);

// Ends the program with `claim` where it does not hold: that is a finding.
void must(bool holds, const char* claim);

// What a person is shown is one line without control characters.
void must_be_one_line(std::string_view text);

// What stands between lines of four dashes: always `count` parts, the last ones empty where there
// is no more; the last one has all the rest. For parsers that take several texts.
std::vector<std::string> parts_of(std::string_view input, std::size_t count);

// A folder of its own below TMPDIR, with the files that a parser is to read; gone at a clean end.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(std::string_view name) const;
  // Exactly this content, mode 0600; gives back the path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace mha::fuzz
