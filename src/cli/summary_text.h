// How a switch or a failover ended, for people and for machines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/plan.h"
#include "engine/summary.h"

namespace mha {

enum class OperationKind { kSwitch, kFailover };

// Without headline and leftovers: who is the master, how long clients waited, what was saved and
// lost, how the old master was fenced, where the journal is.
std::vector<std::string> summary_lines(OperationKind kind, const OperationSummary& summary,
                                       const Outcome& outcome);

// What is left to do by hand: the outcome's and the summary's, none twice.
std::vector<std::string> left_to_do(const OperationSummary& summary, const Outcome& outcome);

// For --format=json: the summary's keys, "exit_code", "leftovers" and, where there was one,
// "error".
nlohmann::json result_json(const OperationSummary& summary, const Outcome& outcome);

}  // namespace mha
