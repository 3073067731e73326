// One call of EC2's Query API: signed, tried again where that may help, its answer read as XML.
#pragma once

#include <map>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "vip/aws_credentials.h"
#include "vip/cloud_ports.h"

namespace mha {

// In the order in which they are sent: {"NetworkInterfaceId", "eni-..."}.
using Ec2Parameters = std::vector<std::pair<std::string, std::string>>;

// What EC2 said: the answer's root element, or why it says no.
struct Ec2Answer {
  std::shared_ptr<const pugi::xml_document> document;
  std::string refusal;  // EC2's error code; empty: done
  Error error{Code::kInternal, ""};

  [[nodiscard]] pugi::xml_node root() const { return document->document_element(); }
};

// Thread-safe, except that wrong settings show at the first call.
class Ec2Query {
 public:
  // `identity` outlives it. `ca_file` as of HttpRequest.
  Ec2Query(CloudPorts ports, AwsIdentity& identity, std::string ca_file);

  // POST with Version 2016-11-15 (EC2 API Reference, "Making API requests"). An answer that came
  // whole, 2xx with <ACTIONResponse> or EC2's own error, is a value. Everything that we send may be
  // sent twice, so time-outs, broken connections, 5xx and throttling (RequestLimitExceeded) are
  // tried again under the deadline, and an answer that is cut or is no XML twice. Expired
  // credentials are replaced once. Errors: those of HttpClient and AwsIdentity; kUnreachable also
  // for 5xx and throttling that go on, kRefused for an answer that is none.
  Result<Ec2Answer> call(const std::string& action, const Ec2Parameters& parameters,
                         Deadline deadline);

 private:
  Result<std::string> endpoint(Deadline deadline);

  CloudPorts ports_;
  AwsIdentity& identity_;
  std::string ca_file_;
};

// "Action=X&Version=2016-11-15&..." in application/x-www-form-urlencoded; for tests too.
std::string ec2_form(const std::string& action, const Ec2Parameters& parameters);

}  // namespace mha
