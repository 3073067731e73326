// Gives each file of a corpus to a fuzz target, without libFuzzer: what once was a finding stays
// one, with every compiler.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  mha::fuzz::try_input("");
  for (const auto& path : files) {
    std::fprintf(stderr, "%s\n", path.c_str());  // the last one is the finding
    std::ifstream file(path, std::ios::binary);
    mha::fuzz::try_input(std::string{std::istreambuf_iterator<char>(file), {}});
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
