// Steps that keep a dead master from being one any longer.
#pragma once

#include <memory>

#include "core/environment.h"
#include "core/journal.h"
#include "core/step.h"
#include "engine/failover_state.h"
#include "engine/host_call.h"

namespace mha {

enum class Fencing {
  kWanted,    // what cannot be fenced is said, and unfenced_failover decides
  kRequired,  // --require_fencing: without it nothing is promoted
};

// Who is fenced, and how; all outlive the steps.
struct FenceOrder {
  Node& orig;
  FenceRequest request;
  Fencing fencing = Fencing::kWanted;
  // Of a silent host whose answer the failover need not wait for: it is called meanwhile, and
  // fenced as soon as one of the steps below sees it answer. nullptr: what the fence comes to is
  // waited for.
  HostCall* call = nullptr;
};

// Whether a failover may go on while nobody knows yet: not where something depends on the answer.
bool may_call_meanwhile(const Node& orig, const FenceRequest& request, Fencing fencing);

// Afterwards fence() has gone up its ladder, and state.fence says how far; with `call`,
// fence_without_host(). Where fencing is required, or unfenced_failover=refuse, kRefused unless the
// address is off at least (and the server down, where no address is moved). Not undone: the dead
// master stays dead.
std::unique_ptr<Step> ensure_fenced(FenceOrder order, FailoverState& state, Journal& journal,
                                    Environment& environment);

// With `call`, before the dead host's logs are wanted: where it has answered meanwhile, it is
// fenced now. Does not wait for it.
std::unique_ptr<Step> ensure_fenced_by_now(FenceOrder order, FailoverState& state, Journal& journal,
                                           Environment& environment);

// Likewise just before the new master is made; of a host that still has not answered state.fence
// says that it is not fenced.
std::unique_ptr<Step> ensure_fence_settled(FenceOrder order, FailoverState& state, Journal& journal,
                                           Environment& environment);

// With `call`, once the new master takes writes: the rest of its time is waited for, and a host
// that answers by then is fenced. state.fence says how late.
std::unique_ptr<Step> ensure_fenced_late(FenceOrder order, const Node& next, FailoverState& state,
                                         Journal& journal, Environment& environment);

// Where the fence did without shutdown_script: it is called now that nothing more is wanted of the
// host, and what it says against it is an error. MHA calls it before it saves the binary log, which
// a host without power no longer has (facts: mha.md).
std::unique_ptr<Step> ensure_shut_down(Node& orig, FenceRequest request, const FailoverState& state,
                                       Environment& environment);

}  // namespace mha
