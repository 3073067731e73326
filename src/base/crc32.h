// The checksum that binary logs have.
#pragma once

#include <cstdint>
#include <string_view>

namespace mha {

// CRC-32 of ISO 3309, as zlib's crc32() goes on from `crc` (0 at the beginning).
std::uint32_t crc32_of(std::uint32_t crc, std::string_view bytes);

}  // namespace mha
