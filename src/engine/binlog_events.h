// Events of a binary or relay log file: where they begin and end, and the little of their content
// that tells transactions apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mha {

// Types that are told apart. Source: "Binary Log Event Types" of MySQL's internals manual (1-42)
// and MariaDB's "Replication Protocol" pages (160-171).
enum class BinlogEventType : std::uint8_t {
  kQuery = 2,
  kStop = 3,
  kRotate = 4,
  kFormatDescription = 15,
  kXid = 16,
  kExecuteLoadQuery = 18,
  kIncident = 26,
  kHeartbeat = 27,
  kIgnorable = 28,
  kGtid = 33,
  kAnonymousGtid = 34,
  kPreviousGtids = 35,
  kXaPrepare = 38,
  kTransactionPayload = 40,
  kHeartbeat2 = 41,
  kTaggedGtid = 42,
  kMariadbBinlogCheckpoint = 161,
  kMariadbGtid = 162,
  kMariadbGtidList = 163,
  kMariadbStartEncryption = 164,
  kMariadbQueryCompressed = 165,
};

// Flags of the header.
inline constexpr std::uint16_t kArtificialEvent = 0x20;  // made by the dump thread, in no log
inline constexpr std::uint16_t kRelayLogEvent = 0x40;    // the replica's own, not its source's

// Little-endian; 0 where `body` is too short for it.
std::uint64_t little_endian(std::string_view body, std::size_t at, std::size_t bytes);

struct BinlogEvent {
  std::uint64_t offset = 0;  // in the file
  std::uint32_t size = 0;    // with header and checksum
  BinlogEventType type{};
  std::uint32_t server_id = 0;
  std::uint32_t log_pos = 0;  // where it ends, in the log that it was written to first; 32 bits
  std::uint16_t flags = 0;
  std::string_view body;        // its beginning, without header and checksum
  std::uint32_t body_size = 0;  // of all of it

  [[nodiscard]] std::uint64_t end() const { return offset + size; }
};

// The beginning and the whole length of a Query event's statement.
struct QueryText {
  std::string_view text;
  std::size_t size = 0;
  // The statement is exactly this.
  [[nodiscard]] bool is(std::string_view wanted) const {
    return size == wanted.size() && text == wanted;
  }
};
QueryText query_text(const BinlogEvent& event);

// "uuid:n" or "uuid:tag:n" of MySQL's GTID events; empty where it cannot be read.
std::string mysql_gtid_text(const BinlogEvent& event);

enum class LogEnd {
  kClean,
  kTorn,     // in the middle of an event, or in zeros that a crash has left
  kDamaged,  // something else stands where an event should, and more comes after it
};

// Reads a file of format 4 (MySQL 5.0 and newer, MariaDB). What is garbage ends the reading; it
// never costs more memory than the part of an event that is looked at. Checks CRC32 where the log
// has it.
class BinlogFile {
 public:
  // kRefused where it is no binary log, or an encrypted one; kInternal where it cannot be read.
  // `what` names it in errors.
  static Result<BinlogFile> open(const std::string& path, const std::string& what);
  BinlogFile(BinlogFile&& other) noexcept;
  BinlogFile& operator=(BinlogFile&&) = delete;
  BinlogFile(const BinlogFile&) = delete;
  BinlogFile& operator=(const BinlogFile&) = delete;
  ~BinlogFile();

  // Where the event after the first format description begins.
  [[nodiscard]] std::uint64_t first_offset() const { return first_offset_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Reading goes on from there: an event's beginning.
  void seek(std::uint64_t offset) { offset_ = offset; }
  // Each event's log_pos is to be its end in this file plus this (modulo 2^32), as in a binary log,
  // or 0, as MariaDB 11.8 writes it within transactions;
  // a relay log has its source's.
  void expect_log_pos(std::uint64_t added) { added_ = added; }

  // nullopt at the end; end() says then what kind of end it is. The body is good until the next
  // call. kRefused where the rest is encrypted.
  Result<std::optional<BinlogEvent>> next();
  [[nodiscard]] LogEnd end() const { return end_; }
  // Where the last call stopped.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  BinlogFile(int fd, std::uint64_t size, std::string what);
  Status read(std::uint64_t at, std::size_t bytes);  // into buffer_
  Result<bool> checksum_holds(const BinlogEvent& event);
  Result<std::optional<BinlogEvent>> stop(std::uint32_t claimed_size);
  Result<bool> all_zero_from(std::uint64_t at);

  int fd_;
  std::uint64_t size_;
  std::string what_;
  std::string buffer_;
  std::uint64_t offset_ = 0;
  std::uint64_t first_offset_ = 0;
  std::optional<std::uint64_t> added_;
  std::size_t checksum_bytes_ = 0;
  LogEnd end_ = LogEnd::kClean;
};

}  // namespace mha
