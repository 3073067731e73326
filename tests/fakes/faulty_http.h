// What goes wrong between us and a cloud's interface, put before an HttpClient that plays the
// cloud.
#pragma once

#include <algorithm>
#include <list>
#include <mutex>
#include <string>
#include <utility>

#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

// The kinds of tests/cloud/fault_proxy, which see. The first four: the cloud's interface never sees
// the request. The others: it was executed.
enum class CloudFault {
  kNone,
  k503,
  kThrottle,
  kHang,
  kRefuse,
  kCut,
  kMalformed,
  kLose,
  kHangAfter
};

inline const char* to_string(CloudFault fault) {
  switch (fault) {
    case CloudFault::kNone:
      return "none";
    case CloudFault::k503:
      return "503";
    case CloudFault::kThrottle:
      return "throttle";
    case CloudFault::kHang:
      return "hang";
    case CloudFault::kRefuse:
      return "refuse";
    case CloudFault::kCut:
      return "cut";
    case CloudFault::kMalformed:
      return "malformed";
    case CloudFault::kLose:
      return "lose";
    case CloudFault::kHangAfter:
      return "hang-after";
  }
  return "";
}

// For the next `count` requests (0: all), after `skip` of them.
struct FaultOrder {
  CloudFault fault = CloudFault::k503;
  int count = 1;
  int skip = 0;
};

// How a cloud says that it was asked too often.
struct Throttled {
  int status = 503;
  std::string body;
};

// Thread-safe, where `cloud` is. Silence and latency take the clock's time.
class FaultyHttp : public HttpClient {
 public:
  FaultyHttp(HttpClient& cloud, Clock& clock, Throttled throttled)
      : cloud_(cloud), clock_(clock), throttled_(std::move(throttled)) {}

  void add(FaultOrder order) {
    const std::lock_guard lock{mutex_};
    orders_.push_back(order);
  }
  void set_latency(Milliseconds latency) {
    const std::lock_guard lock{mutex_};
    latency_ = latency;
  }
  void clear() {
    const std::lock_guard lock{mutex_};
    orders_.clear();
    latency_ = Milliseconds{0};
  }
  // Since the last time that this was asked.
  int take_count() {
    const std::lock_guard lock{mutex_};
    return std::exchange(count_, 0);
  }

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    const auto [fault, latency] = see();
    clock_.sleep_until(std::min(clock_.now() + latency, deadline.at()));
    if (clock_.passed(deadline)) return error(Code::kTimeout, "no answer in time");
    if (fault == CloudFault::k503) return HttpResponse{503, {}, "no server is available"};
    if (fault == CloudFault::kThrottle) return HttpResponse{throttled_.status, {}, throttled_.body};
    if (fault == CloudFault::kRefuse) return error(Code::kUnreachable, "the connection ended");
    if (fault == CloudFault::kHang) return silence(deadline);
    Result<HttpResponse> answer = cloud_.send(request, deadline);
    if (fault == CloudFault::kHangAfter) return silence(deadline);
    if (fault == CloudFault::kCut) return error(Code::kUnreachable, "the answer was cut");
    if (fault == CloudFault::kLose) return error(Code::kUnreachable, "the connection ended");
    if (fault == CloudFault::kMalformed && answer.ok()) {
      answer.value().body = "<html>{\"half\": [" + std::string(40, 'x');
    }
    return answer;
  }

 private:
  static Error error(Code code, const std::string& words) {
    return {code, "POST https://cloud/: " + words + "; the request may have been executed"};
  }
  Error silence(Deadline deadline) {
    clock_.sleep_until(deadline.at());
    return error(Code::kTimeout, "no answer in time");
  }
  std::pair<CloudFault, Milliseconds> see() {
    const std::lock_guard lock{mutex_};
    ++count_;
    for (auto order = orders_.begin(); order != orders_.end(); ++order) {
      if (order->skip > 0) {
        --order->skip;
        continue;
      }
      const CloudFault fault = order->fault;
      if (order->count > 0 && --order->count == 0) orders_.erase(order);
      return {fault, latency_};
    }
    return {CloudFault::kNone, latency_};
  }

  HttpClient& cloud_;
  Clock& clock_;
  Throttled throttled_;
  std::mutex mutex_;
  std::list<FaultOrder> orders_;
  Milliseconds latency_{0};
  int count_ = 0;
};

}  // namespace mha
