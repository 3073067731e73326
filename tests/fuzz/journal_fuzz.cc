// The journal of a run: what another process reads from it to undo the run, or to carry it on.
#include "core/journal.h"
#include "core/report.h"
#include "core/rollback.h"
#include "engine/failover_state.h"
#include "engine/summary.h"
#include "engine/unfinished.h"
#include "fuzz/fuzz.h"
#include "unit/engine/engine_cluster.h"

namespace mha::fuzz {
namespace {

constexpr const char* kName = "switchover-db1_3306-20240101T000000000-1.journal";

void check_outcome(const Outcome& outcome) {
  if (outcome.headline.has_value()) must_be_one_line(outcome.headline->message);
  must(outcome.ending != Ending::kNotUndone || !outcome.leftovers.empty(),
       "what was not undone is named");
}

// What only reads.
void look(const JournalFile& journal, EngineCluster& cluster) {
  Environment environment = cluster.environment();
  static_cast<void>(summarize(journal));
  static_cast<void>(summary_of(journal));
  static_cast<void>(has_open_steps(journal, "db1", 3306));
  const NodeByName nobody = [](const std::string& /*host*/, std::uint16_t /*port*/) -> Node* {
    return nullptr;
  };
  static_cast<void>(open_steps_by_hand(journal, nobody, environment));
  const auto facts = handover_facts(journal);
  if (facts.has_value()) static_cast<void>(failover_state_from_json(*facts));
  static_cast<void>(compose_report({}, {}, {journal}));
}

void act(const JournalFile& journal, EngineCluster& cluster) {
  Environment environment = cluster.environment();
  const auto remedy = remedy_for_switch(cluster.request.cluster, journal, environment);
  if (!remedy.ok()) {
    must_be_one_line(remedy.error().message);
  } else if (remedy.value() == Remedy::kCarryOn) {
    check_outcome(resume_switch(cluster.request, journal, environment));
  } else {
    check_outcome(roll_back_switch(cluster.request.cluster, journal, environment));
  }
}

}  // namespace

void try_input(std::string_view input) {
  EngineCluster cluster;
  std::filesystem::create_directory(cluster.state_dir);
  const std::string path = cluster.state_dir + "/" + kName;
  write_whole(path, input);
  const Result<JournalFile> journal = read_journal(path);
  if (!journal.ok()) {
    must_be_one_line(journal.error().message);
    return;
  }
  look(journal.value(), cluster);
  const auto unfinished = find_unfinished_switch(cluster.request.cluster, cluster.environment());
  if (unfinished.has_value()) act(*unfinished, cluster);
  must(read_journal(path).ok(), "what is added to a journal leaves it one");
}

}  // namespace mha::fuzz
