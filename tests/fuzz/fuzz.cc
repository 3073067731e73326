// The fuzz targets' common ground; libFuzzer calls in here.
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>

namespace mha::fuzz {

void must(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

void must_be_one_line(std::string_view text) {
  const bool plain =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (!plain) std::fprintf(stderr, "<<%.*s>>\n", static_cast<int>(text.size()), text.data());
  must(plain, "a message is one line without control characters");
}

std::vector<std::string> parts_of(std::string_view input, std::size_t count) {
  static constexpr std::string_view kBetween = "----\n";
  std::vector<std::string> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = input.find(kBetween);
    parts.emplace_back(input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + kBetween.size());
  }
  parts.emplace_back(input);
  return parts;
}

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "mha-fuzz-XXXXXX").string()) {
  must(mkdtemp(path_.data()) != nullptr, "there is a temporary folder");
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string Folder::path(std::string_view name) const { return path_ + "/" + std::string{name}; }

std::string Folder::write(std::string_view name, std::string_view content) const {
  std::string where = path(name);
  const int fd = open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool whole = fd >= 0 && ::write(fd, content.data(), content.size()) ==
                                    static_cast<ssize_t>(content.size());
  if (fd >= 0) close(fd);
  must(whole, "the input can be written to a file");
  return where;
}

}  // namespace mha::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mha::fuzz::try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
