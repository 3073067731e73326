// One call of an OpenStack interface: sent again while that may help, its answer read with care.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "vip/cloud_ports.h"

namespace mha {

// "PUT https://net.example.com/v2.0/ports/ID", without the query; for messages.
std::string title_of(const HttpRequest& request);

// Sends until there is an answer that stands or the time is over: connections that fail, time-outs,
// 429 and 5xx are tried again, so `request` must be one that may be executed twice. What comes back
// may be a 503 still; the caller judges the status.
Result<HttpResponse> call_openstack(CloudPorts ports, const HttpRequest& request,
                                    Deadline deadline);

// What a refusing answer says: "PolicyNotAuthorized: (rule:...) is disallowed by policy", or "" of
// a body that is none of OpenStack's. One line, of a readable length.
std::string said_by(const HttpResponse& response);
// NeutronError.type, or "".
std::string error_type(const HttpResponse& response);

// An answer that says neither yes nor anything that this program could act upon.
Error no_answer_to_use(const HttpRequest& request, const HttpResponse& response);

Error malformed(const HttpRequest& request, const HttpResponse& response);

// `parse(json) -> Result<T>` of a body, its library's exceptions turned into an error: an answer
// that was cut or is none is never a success.
template <typename Parse>
auto parse_answer(const HttpRequest& request, const HttpResponse& response, Parse parse)
    -> decltype(parse(nlohmann::json{})) {
  try {
    return parse(nlohmann::json::parse(response.body));
  } catch (const nlohmann::json::exception&) {
    return malformed(request, response);
  }
}

}  // namespace mha
