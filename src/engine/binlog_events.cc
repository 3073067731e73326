// The event header of 19 bytes, checksums, and the ends that a crash leaves.
#include "engine/binlog_events.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/crc32.h"

namespace mha {
namespace {

constexpr std::string_view kMagic{
    "\xFE"
    "bin",
    4};
constexpr std::string_view kEncryptedMagic{
    "\xFD"
    "bin",
    4};
constexpr std::size_t kHeader = 19;
constexpr std::size_t kBody = 8192;  // looked at, of one event
constexpr std::size_t kChecksum = 4;
constexpr std::uint16_t kInUse = 0x01;
constexpr std::uint8_t kLargestMysqlType = 50;  // 42 in 9.7; some room for newer ones
constexpr std::uint8_t kSmallestMariadbType = 160;
constexpr std::uint8_t kLargestMariadbType = 180;

bool known_type(std::uint8_t type) {
  return (type > 0 && type <= kLargestMysqlType) ||
         (type >= kSmallestMariadbType && type <= kLargestMariadbType);
}

std::string uuid_text(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return text;
}

// MySQL's mysql::serialization: an integer in 1 to 9 bytes, whose number of bytes is told by the
// ones at the low end of the first.
class TaggedReader {
 public:
  explicit TaggedReader(std::string_view body) : rest_(body) {}

  std::optional<std::uint64_t> take_unsigned() {
    if (rest_.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(rest_.front());
    std::size_t bytes = 1;
    while (bytes < 9 && ((first >> (bytes - 1)) & 1U) != 0) ++bytes;
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    if (bytes == 9) {
      value = little_endian(rest_, 1, 8);
    } else {
      value = little_endian(rest_, 0, bytes) >> bytes;
    }
    rest_.remove_prefix(bytes);
    return value;
  }
  // Zigzag, as the sign is in the lowest bit.
  std::optional<std::int64_t> take_signed() {
    const auto value = take_unsigned();
    if (!value.has_value()) return std::nullopt;
    const auto half = static_cast<std::int64_t>(*value >> 1U);
    return (*value & 1U) != 0 ? -half - 1 : half;
  }
  std::optional<std::string> take_string() {
    const auto size = take_unsigned();
    if (!size.has_value() || *size > rest_.size()) return std::nullopt;
    std::string text{rest_.substr(0, *size)};
    rest_.remove_prefix(*size);
    return text;
  }

 private:
  std::string_view rest_;
};

// As a server takes it (MySQL 9.7's manual, "GTID Format and Storage"): what is something else is
// no tag, and would stand in messages and statements.
bool is_tag(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return text.size() <= kLongest && (text.empty() || is_letter(text.front())) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Fields in order: 0 flags, 1 UUID (16 integers), 2 number, 3 tag.
std::string tagged_gtid_text(std::string_view body) {
  TaggedReader reader{body};
  // Version, size, last field that may not be ignored.
  for (int i = 0; i < 3; ++i) {
    if (!reader.take_unsigned().has_value()) return "";
  }
  const auto field = [&](std::uint64_t wanted) { return reader.take_unsigned() == wanted; };
  if (!field(0) || !reader.take_unsigned().has_value() || !field(1)) return "";
  std::string uuid;
  for (int i = 0; i < 16; ++i) {
    const auto byte = reader.take_unsigned();
    if (!byte.has_value()) return "";
    uuid += static_cast<char>(*byte);
  }
  if (!field(2)) return "";
  const auto number = reader.take_signed();
  if (!number.has_value() || *number <= 0 || !field(3)) return "";
  const auto tag = reader.take_string();
  if (!tag.has_value() || !is_tag(*tag)) return "";
  return tag->empty() ? fmt::format("{}:{}", uuid_text(uuid), *number)
                      : fmt::format("{}:{}:{}", uuid_text(uuid), *tag, *number);
}

}  // namespace

std::uint64_t little_endian(std::string_view body, std::size_t at, std::size_t bytes) {
  if (at + bytes > body.size()) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(body[at + i])} << (8 * i);
  }
  return value;
}

QueryText query_text(const BinlogEvent& event) {
  // Thread, seconds, length of the schema's name, error, length of the status variables.
  constexpr std::size_t kPostHeader = 13;
  const std::size_t schema = little_endian(event.body, 8, 1);
  const std::size_t variables = little_endian(event.body, 11, 2);
  const std::size_t begin = kPostHeader + variables + schema + 1;
  if (event.body.size() < kPostHeader || event.body.size() < begin) return {};
  return {event.body.substr(begin), event.body_size - begin};
}

std::string mysql_gtid_text(const BinlogEvent& event) {
  if (event.type == BinlogEventType::kTaggedGtid) return tagged_gtid_text(event.body);
  constexpr std::size_t kUuidAt = 1;
  constexpr std::size_t kNumberAt = 17;
  if (event.body.size() < kNumberAt + 8) return "";
  return fmt::format("{}:{}", uuid_text(event.body.substr(kUuidAt, 16)),
                     little_endian(event.body, kNumberAt, 8));
}

BinlogFile::BinlogFile(int fd, std::uint64_t size, std::string what)
    : fd_(fd), size_(size), what_(std::move(what)) {}

BinlogFile::BinlogFile(BinlogFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      what_(std::move(other.what_)),
      buffer_(std::move(other.buffer_)),
      offset_(other.offset_),
      first_offset_(other.first_offset_),
      added_(other.added_),
      checksum_bytes_(other.checksum_bytes_),
      end_(other.end_) {}

BinlogFile::~BinlogFile() {
  if (fd_ >= 0) close(fd_);
}

Result<BinlogFile> BinlogFile::open(const std::string& path, const std::string& what) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat about {};
  if (fd < 0 || fstat(fd, &about) != 0) {
    if (fd >= 0) close(fd);
    return Error{Code::kInternal, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  }
  BinlogFile file{fd, static_cast<std::uint64_t>(about.st_size), what};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(file.size_, kMagic.size()));
  if (const Status got = file.read(0, size); !got.ok()) return got.error();
  if (file.buffer_ == kEncryptedMagic) {
    return Error{Code::kRefused,
                 fmt::format("{} is encrypted (binlog_encryption): its transactions can only be "
                             "read by starting the server on that host again",
                             what)};
  }
  if (file.buffer_ != kMagic) {
    return Error{Code::kRefused, fmt::format("{} is not a binary log", what)};
  }
  file.offset_ = kMagic.size();
  const Result<std::optional<BinlogEvent>> first = file.next();
  if (!first.ok()) return first.error();
  const bool described =
      first.value().has_value() && first.value()->type == BinlogEventType::kFormatDescription;
  if (!described) {
    return Error{Code::kRefused,
                 fmt::format("{} does not begin as a binary log of format 4 does", what)};
  }
  file.first_offset_ = file.offset_;
  return file;
}

Status BinlogFile::read(std::uint64_t at, std::size_t bytes) {
  buffer_.resize(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got =
        pread(fd_, buffer_.data() + have, bytes - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return Error{Code::kInternal, fmt::format("cannot read our copy of {}: {}", what_,
                                                got < 0 ? std::strerror(errno) : "it got shorter")};
    }
    have += static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::optional<BinlogEvent>> BinlogFile::next() {
  if (offset_ >= size_) return std::optional<BinlogEvent>{};
  const std::uint64_t left = size_ - offset_;
  if (left < kHeader) return stop(kHeader);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, kHeader + kBody));
  if (const Status got = read(offset_, wanted); !got.ok()) return got.error();

  BinlogEvent event;
  event.offset = offset_;
  event.type = static_cast<BinlogEventType>(little_endian(buffer_, 4, 1));
  event.server_id = static_cast<std::uint32_t>(little_endian(buffer_, 5, 4));
  event.size = static_cast<std::uint32_t>(little_endian(buffer_, 9, 4));
  event.log_pos = static_cast<std::uint32_t>(little_endian(buffer_, 13, 4));
  event.flags = static_cast<std::uint16_t>(little_endian(buffer_, 17, 2));
  const bool description = event.type == BinlogEventType::kFormatDescription;
  // A format description has its own, whatever it says of the others.
  const std::size_t checksum = description ? kChecksum : checksum_bytes_;
  // MariaDB 11.8 writes 0 into the events within a transaction.
  const bool plausible = known_type(static_cast<std::uint8_t>(event.type)) &&
                         event.size >= kHeader + checksum &&
                         (!added_.has_value() || description || event.log_pos == 0 ||
                          event.log_pos == static_cast<std::uint32_t>(event.end() + *added_));
  if (!plausible) return stop(0);
  if (event.size > left) return stop(event.size);
  event.body_size = static_cast<std::uint32_t>(event.size - kHeader - checksum);
  if (description) {
    // The kind of checksum stands before the checksum.
    if (event.body_size < 58 || event.body_size > kBody) return stop(event.size);
    const auto kind = static_cast<unsigned char>(buffer_[kHeader + event.body_size - 1]);
    checksum_bytes_ = kind == 1 ? kChecksum : 0;
  }
  if (event.type == BinlogEventType::kMariadbStartEncryption) {
    return Error{Code::kRefused,
                 fmt::format("{} is encrypted (encrypt_binlog): its transactions can only be read "
                             "by starting the server on that host again",
                             what_)};
  }
  const Result<bool> holds = checksum_holds(event);
  if (!holds.ok()) return holds.error();
  if (!holds.value()) return stop(event.size);
  event.body =
      std::string_view{buffer_}.substr(kHeader, std::min<std::size_t>(event.body_size, kBody));
  offset_ = event.end();
  return std::optional{event};
}

// Leaves the beginning of the event in buffer_.
Result<bool> BinlogFile::checksum_holds(const BinlogEvent& event) {
  if (checksum_bytes_ == 0) return true;
  std::string head = std::move(buffer_);
  const std::uint64_t end = event.end() - kChecksum;
  std::uint32_t crc = 0;
  std::uint64_t at = event.offset;
  {
    const auto in_head =
        static_cast<std::size_t>(std::min<std::uint64_t>(head.size(), end - event.offset));
    std::string header = head.substr(0, kHeader);
    if (event.type == BinlogEventType::kFormatDescription) {
      // Set in the file afterwards, where the log is not closed.
      header[17] = static_cast<char>(static_cast<unsigned char>(header[17]) & ~kInUse);
    }
    crc = crc32_of(crc, header);
    crc = crc32_of(crc, std::string_view{head}.substr(kHeader, in_head - kHeader));
    at += in_head;
  }
  constexpr std::size_t kPiece = 65536;
  while (at < end) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - at));
    if (const Status got = read(at, piece); !got.ok()) return got.error();
    crc = crc32_of(crc, buffer_);
    at += piece;
  }
  if (const Status got = read(end, kChecksum); !got.ok()) return got.error();
  const bool holds = little_endian(buffer_, 0, kChecksum) == crc;
  buffer_ = std::move(head);
  return holds;
}

// There is no whole event at offset_. Torn where the file ends in it, or only zeros follow.
Result<std::optional<BinlogEvent>> BinlogFile::stop(std::uint32_t claimed_size) {
  const bool to_the_end = claimed_size > 0 && offset_ + claimed_size >= size_;
  const Result<bool> zeros = to_the_end ? Result<bool>{true} : all_zero_from(offset_);
  if (!zeros.ok()) return zeros.error();
  end_ = zeros.value() ? LogEnd::kTorn : LogEnd::kDamaged;
  return std::optional<BinlogEvent>{};
}

Result<bool> BinlogFile::all_zero_from(std::uint64_t at) {
  constexpr std::uint64_t kPiece = 65536;
  while (at < size_) {
    const std::uint64_t piece = std::min(kPiece, size_ - at);
    if (const Status got = read(at, static_cast<std::size_t>(piece)); !got.ok()) return got.error();
    if (buffer_.find_first_not_of('\0') != std::string::npos) return false;
    at += piece;
  }
  return true;
}

}  // namespace mha
