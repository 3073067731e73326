// The two calls, and what their failures mean to a person.
#include "vip/aws_metadata.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "config/ascii.h"
#include "vip/aws_profile.h"
#include "vip/cloud_retry.h"
#include "vip/cloud_url.h"

namespace mha {
namespace {

constexpr Milliseconds kPatience{3000};
constexpr std::chrono::seconds kTokenTime{21600};  // the longest that the service allows
constexpr int kAttempts = 2;

constexpr const char* kEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

std::string endpoint_of(const Environ& environ) {
  std::string endpoint = set_variable(environ, kEndpoint).value_or("http://169.254.169.254");
  if (!set_variable(environ, kEndpoint).has_value() &&
      lower_case(set_variable(environ, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("")) ==
          "ipv6") {
    endpoint = "http://[fd00:ec2::254]";
  }
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.pop_back();
  return endpoint;
}

Error strange(int status) {
  return Error{Code::kUnreachable,
               fmt::format("the instance metadata service answered HTTP {}", status)};
}

}  // namespace

Result<HttpResponse> AwsMetadata::send(HttpRequest request, Deadline deadline) {
  request.proxy = HttpProxy::kNone;
  int attempts = 0;
  Result<HttpResponse> response =
      with_retries(ports_.clock, deadline, [&](Deadline attempt) -> Attempt<HttpResponse> {
        ++attempts;
        Result<HttpResponse> answer = ports_.http.send(request, attempt);
        const bool busy = answer.ok() ? answer.value().status >= 500
                                      : answer.error().code == Code::kTimeout ||
                                            answer.error().code == Code::kUnreachable;
        return {std::move(answer), busy && attempts < kAttempts ? Again::kYes : Again::kNo};
      });
  if (!response.ok()) return response.error().with_context("asking the instance metadata service");
  return response;
}

Result<Secret> AwsMetadata::token(Deadline deadline) {
  {
    const std::lock_guard lock{mutex_};
    if (!token_.empty() && ports_.clock.now() < token_ends_) return token_;
  }
  HttpRequest request;
  request.method = HttpMethod::kPut;
  request.url = endpoint_of(ports_.environ) + "/latest/api/token";
  request.headers.push_back(
      {"X-aws-ec2-metadata-token-ttl-seconds", fmt::format("{}", kTokenTime.count())});
  const TimePoint asked = ports_.clock.now();
  const Result<HttpResponse> response = send(std::move(request), deadline);
  if (!response.ok()) return response.error();
  if (response.value().status == 403) {
    return Error{Code::kDenied,
                 "the instance metadata service refuses to answer (HTTP 403): it is switched off "
                 "for this instance"};
  }
  const std::string& body = response.value().body;
  const bool plain =
      std::all_of(body.begin(), body.end(), [](char c) { return c > 32 && c < 127; });
  if (response.value().status != 200 || body.empty() || !plain) {
    return strange(response.value().status);
  }
  const std::lock_guard lock{mutex_};
  token_ = Secret(body);
  token_ends_ = asked + kTokenTime - std::chrono::seconds{60};
  return token_;
}

bool AwsMetadata::is_switched_off(const Environ& environ) {
  return lower_case(set_variable(environ, "AWS_EC2_METADATA_DISABLED").value_or("")) == "true";
}

void AwsMetadata::forget_token() {
  const std::lock_guard lock{mutex_};
  token_ = Secret{};
}

Result<std::optional<std::string>> AwsMetadata::get(const std::string& path, Deadline deadline) {
  if (is_switched_off(ports_.environ)) {
    return Error{Code::kUnreachable,
                 "the instance metadata service is switched off by AWS_EC2_METADATA_DISABLED"};
  }
  if (const Status good = check_cloud_url(endpoint_of(ports_.environ)); !good.ok()) {
    return good.error().with_context(kEndpoint);
  }
  const Deadline patience = ports_.clock.deadline_after(kPatience).capped(deadline);
  // The second time with a new token, where the service has forgotten the first.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Result<Secret> token = this->token(patience);
    if (!token.ok()) return token.error();
    HttpRequest request;
    request.url = endpoint_of(ports_.environ) + "/latest/meta-data/" + path;
    request.secret_headers.push_back({"X-aws-ec2-metadata-token", token.value()});
    Result<HttpResponse> response = send(std::move(request), patience);
    if (!response.ok()) return response.error();
    HttpResponse& answer = response.value();
    if (answer.status == 401) {
      forget_token();
      continue;
    }
    if (answer.status == 404) return std::optional<std::string>{};
    if (answer.status != 200) return strange(answer.status);
    return std::optional<std::string>{std::move(answer.body)};
  }
  return strange(401);
}

}  // namespace mha
