// A cloud that always gives the same answer.
#pragma once

#include <string>
#include <string_view>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fuzz/fuzz.h"
#include "ports/http_client.h"
#include "vip/cloud_ports.h"

namespace mha::fuzz {

// The input is "STATUS\n" and the body; without a number the status is 200. A call takes 20 ms, so
// that what is tried again comes to an end.
class OneAnswer : public HttpClient {
 public:
  OneAnswer(std::string_view input, FakeClock& clock) : clock_(clock) {
    const std::size_t line = input.find('\n');
    if (line == 3 && input.find_first_not_of("0123456789") == line) {
      answer_.status = std::stoi(std::string{input.substr(0, line)});
      input.remove_prefix(line + 1);
    }
    answer_.body = input;
    answer_.headers.push_back({"x-subject-token", "a-token"});
  }

  Result<HttpResponse> send(const HttpRequest& /*request*/, Deadline /*deadline*/) override {
    clock_.advance(Milliseconds{20});
    return answer_;
  }

 private:
  FakeClock& clock_;
  HttpResponse answer_;
};

}  // namespace mha::fuzz
