// Clients whom read_only does not bind: ended like the others, but one that comes back would go on
// writing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "ports/clock.h"

namespace mha {

// Users of the server's connected clients who can write despite read_only, once each; MHA's and our
// own left out. Empty where super_read_only is configured and the server has it: that binds all.
Result<std::vector<std::string>> exempt_clients(Node& node, Deadline deadline);

// Where `users` is not empty, watches the server for a moment: an error (kRefused) that names him
// where one of them is connected again. What he wrote here after the switch would be lost. Costs
// nothing where `users` is empty.
std::unique_ptr<Step> ensure_no_exempt_writer(Node& node, std::vector<std::string> users,
                                              Clock& clock, Log& log);

}  // namespace mha
