// Whether what an unfinished operation's journal found is still so: a journal has no age, and the
// cluster goes on without it.
#pragma once

#include "base/deadline.h"
#include "core/environment.h"
#include "core/journal.h"
#include "engine/cluster.h"

namespace mha {

// A later operation, of our own engine or of MHA's with our hooks, has made a new master of the
// cluster since. What the journal began, that one has found and changed.
bool is_superseded(const JournalFile& journal, const Cluster& cluster,
                   const Environment& environment);

// Before an operation is put back: kRefused where its new master has been made the master since, or
// its original one somebody's replica, whoever did that. Putting back would take writes from the
// present master and give them to another server. Each of the two is asked for `patience`, one
// after the other; one that does not answer says nothing.
Status may_be_put_back(const JournalFile& journal, const Cluster& cluster, Milliseconds patience,
                       Environment& environment);

// Before an operation is carried on: kRefused where its new master replicates from somebody again.
Status may_be_carried_on(const JournalFile& journal, const Cluster& cluster, Milliseconds patience,
                         Environment& environment);

}  // namespace mha
