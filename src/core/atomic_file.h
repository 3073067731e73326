// A file that is there whole, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mha {

// Writes `content` beside `path`, syncs it, and puts it in its place: whoever reads it sees the old
// or the new one, also after a crash. Its permissions are `mode`. Error (kInternal): names the file
// and why; then it is as it was.
Status write_atomically(const std::string& path, std::string_view content, unsigned mode);

}  // namespace mha
