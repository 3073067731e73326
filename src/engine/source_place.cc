// Rotate events and ends.
#include "engine/source_place.h"

namespace mha {
namespace {

constexpr std::uint64_t k4GiB = std::uint64_t{1} << 32U;

// log_pos has 32 bits, a log may be longer: the next place with these, not before the last one.
std::uint64_t offset_from(std::uint64_t last, std::uint32_t log_pos) {
  const std::uint64_t same_4gib = last / k4GiB * k4GiB + log_pos;
  return same_4gib < last ? same_4gib + k4GiB : same_4gib;
}

}  // namespace

void SourcePlace::take(const BinlogEvent& event) {
  if ((event.flags & kRelayLogEvent) != 0) return;
  if (event.type == BinlogEventType::kRotate) {
    constexpr std::size_t kName = 8;  // behind the offset
    if (event.body.size() <= kName) return;
    Result<BinlogPosition> target =
        BinlogPosition::make(event.body.substr(kName), little_endian(event.body, 0, kName));
    if (target.ok()) now_ = std::move(target).value();
    return;
  }
  // The source makes some for the connection alone, which have no place.
  if (!now_.has_value() || event.log_pos == 0 || (event.flags & kArtificialEvent) != 0) return;
  if (event.type == BinlogEventType::kFormatDescription) return;
  Result<BinlogPosition> target =
      BinlogPosition::make(now_->file(), offset_from(now_->offset(), event.log_pos));
  if (target.ok()) now_ = std::move(target).value();
}

}  // namespace mha
