// A place in a server's binary log: file and offset, compared as the server counts its files.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mha {

// What SHOW MASTER STATUS and its like say. Files are BASE.NUMBER; the number has six digits until
// it needs more, so names are no order (x.1000000 sorts before x.999999), numbers are. It goes up
// to 2^31 - 1: MAX_LOG_UNIQUE_FN_EXT of the servers' sql/log.cc.
class BinlogPosition {
 public:
  // `file` without folder. An error is kInternal, one short line.
  static Result<BinlogPosition> make(std::string_view file, std::uint64_t offset);
  // What text() gives: FILE:OFFSET.
  static Result<BinlogPosition> parse(std::string_view text);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }  // bytes
  // "mysql-bin" and 7 of mysql-bin.000007.
  [[nodiscard]] std::string_view base() const { return std::string_view{file_}.substr(0, dot_); }
  [[nodiscard]] std::uint32_t number() const { return number_; }

  [[nodiscard]] std::string text() const;

  // Unordered where the base names differ: these are not the same log.
  friend std::partial_ordering operator<=>(const BinlogPosition& one, const BinlogPosition& two);
  friend bool operator==(const BinlogPosition& one, const BinlogPosition& two) {
    return std::is_eq(one <=> two);
  }

 private:
  BinlogPosition(std::string_view file, std::size_t dot, std::uint32_t number, std::uint64_t offset)
      : file_(file), dot_(dot), number_(number), offset_(offset) {}

  std::string file_;
  std::size_t dot_;
  std::uint32_t number_;
  std::uint64_t offset_;
};

}  // namespace mha
