// A thread that is waited for, and one that is left behind.
#include "mysql/worker.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>

namespace mha {
namespace {

constexpr Milliseconds kLong{10000};

TEST(Worker, DoesJobsInOrderAndEnds) {
  std::vector<int> done;
  {
    Worker worker{[&] { done.push_back(99); }};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(worker.run([&, i] { done.push_back(i); }, kLong));
    EXPECT_TRUE(worker.idle());
    worker.stop(kLong);
  }
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2, 99}));
}

TEST(Worker, JobThatIsLateGoesOnAlone) {
  auto may_end = std::make_shared<std::promise<void>>();
  auto ended = std::make_shared<std::promise<void>>();
  {
    Worker worker{[ended] { ended->set_value(); }};
    EXPECT_FALSE(worker.run([may_end] { may_end->get_future().wait(); }, Milliseconds{20}));
    EXPECT_FALSE(worker.idle());
  }
  may_end->set_value();
  EXPECT_EQ(ended->get_future().wait_for(kLong), std::future_status::ready);
}

TEST(Worker, LateJobMayStillBeWaitedFor) {
  auto may_end = std::make_shared<std::promise<void>>();
  auto ended = std::make_shared<std::atomic<bool>>(false);
  Worker worker{[ended] { *ended = true; }};
  EXPECT_FALSE(worker.run([may_end] { may_end->get_future().wait(); }, Milliseconds{1}));
  may_end->set_value();
  worker.stop(kLong);
  EXPECT_TRUE(*ended);
}

TEST(Worker, TakesNoSignals) {
  sigset_t mask;
  sigemptyset(&mask);
  Worker worker{[] {}};
  EXPECT_TRUE(worker.run([&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); }, kLong));
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) EXPECT_EQ(sigismember(&mask, signal), 1);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);
}

}  // namespace
}  // namespace mha
