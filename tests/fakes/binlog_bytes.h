// Binary logs made byte by byte: what servers write, and what crashes leave of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mha {

// A file of format 4. Source of the layout: MySQL's internals manual, "Binary Log Event Header",
// and MariaDB's "Replication Protocol" pages. Independent of the reader under test.
class BinlogBytes {
 public:
  enum class Checksum { kNone = 0, kCrc32 = 1 };

  explicit BinlogBytes(Checksum checksum = Checksum::kCrc32) : checksum_(checksum) {
    bytes = std::string{
        "\xFE"
        "bin",
        4};
    format_description();
  }

  std::string bytes;
  std::uint32_t server_id = 1;
  std::string uuid = std::string(16, '\x11');
  // Where not 0: log_pos of the next event, instead of its end in this file.
  std::uint32_t next_log_pos = 0;

  [[nodiscard]] std::uint64_t size() const { return bytes.size(); }

  static std::string number(std::uint64_t value, int size) {
    std::string text;
    for (int i = 0; i < size; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
    return text;
  }

  // One event; its end.
  std::uint64_t event(int type, const std::string& body, int flags = 0) {
    const bool description = type == 15;
    const bool sums = description || checksum_ == Checksum::kCrc32;
    const std::uint64_t size = 19 + body.size() + (sums ? 4 : 0);
    const std::uint64_t log_pos = next_log_pos != 0 ? next_log_pos : bytes.size() + size;
    next_log_pos = 0;
    const std::string event = number(1700000000, 4) + number(static_cast<std::uint64_t>(type), 1) +
                              number(server_id, 4) + number(size, 4) + number(log_pos, 4) +
                              number(static_cast<std::uint64_t>(flags), 2) + body;
    bytes += event;
    if (sums) bytes += number(crc(event), 4);
    return bytes.size();
  }

  void format_description(std::uint32_t created = 0, int flags = 0) {
    std::string version = "8.0.36-test";
    version.resize(50);
    event(15,
          number(4, 2) + version + number(created, 4) + number(19, 1) + std::string(40, '\x10') +
              number(static_cast<std::uint64_t>(checksum_), 1),
          flags);
  }
  std::uint64_t query(const std::string& text, const std::string& variables = "") {
    const std::string schema = "shop";
    return event(2, number(7, 4) + number(0, 4) + number(schema.size(), 1) + number(0, 2) +
                        number(variables.size(), 2) + variables + schema + '\0' + text);
  }
  std::uint64_t xid() { return event(16, number(99, 8)); }
  std::uint64_t rows(std::size_t size = 100) { return event(30, std::string(size, 'r')); }
  std::uint64_t gtid(std::uint64_t gno) {
    return event(33, number(1, 1) + uuid + number(gno, 8) + number(0, 17));
  }
  std::uint64_t anonymous() {
    return event(34, number(1, 1) + std::string(16, '\0') + number(0, 25));
  }
  // 0-`server_id`-`seqno`.
  std::uint64_t mariadb_gtid(std::uint64_t seqno, int flags = 0) {
    return event(162, number(seqno, 8) + number(0, 4) +
                          number(static_cast<std::uint64_t>(flags), 1) + number(0, 6));
  }
  std::uint64_t rotate(const std::string& file, std::uint64_t offset, int flags = 0) {
    return event(4, number(offset, 8) + file, flags);
  }
  // What a fake mysqlbinlog prints as a transaction of a fake server, as DDL.
  std::uint64_t fake_transaction(std::uint32_t server, std::uint64_t number) {
    return query("TRANSACTION " + std::to_string(server) + " " + std::to_string(number));
  }
  // A transaction of one row, without a GTID of its own.
  std::uint64_t transaction() {
    query("BEGIN");
    rows();
    return xid();
  }

  static std::uint32_t crc(std::string_view text) {
    std::uint32_t value = 0xFFFFFFFFU;
    for (const char c : text) {
      value ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (0xEDB88320U & (0 - (value & 1)));
    }
    return ~value;
  }

 private:
  Checksum checksum_;
};

}  // namespace mha
