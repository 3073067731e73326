// The calls of EC2 that move an address, typed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "vip/aws_credentials.h"
#include "vip/cloud_ports.h"
#include "vip/ec2_query.h"

namespace mha {

struct Ec2Interface {
  std::string id;
  std::string subnet_id;
  std::string vpc_id;
  std::string instance_id;  // empty: attached to none
  std::string primary_ip;
  std::vector<std::string> private_ips;  // v4, the primary one too
  bool source_dest_check = true;

  [[nodiscard]] bool has(const std::string& ip) const;
};

struct Ec2Address {
  std::string allocation_id;
  std::string public_ip;
  std::string association_id;  // empty, as the next two: associated with nothing
  std::string interface_id;
  std::string private_ip;
};

struct Ec2Route {
  std::string destination;  // "10.9.0.1/32"
  std::string target;       // an interface's id, or that of a gateway, instance...
};

struct Ec2RouteTable {
  std::string id;
  std::string vpc_id;
  std::vector<Ec2Route> routes;

  // The target of the route to `destination`; "" where there is none.
  [[nodiscard]] std::string target_of(const std::string& destination) const;
};

// Any of the values, and all of the filters.
struct Ec2Filter {
  std::string name;
  std::vector<std::string> values;
};

// An action with its parameters. All are idempotent as we send them.
struct Ec2Change {
  std::string action;
  Ec2Parameters parameters;
};

// AllowReassignment=true: one act takes it from the interface that has it.
Ec2Change assign_private_ip(const std::string& interface_id, const std::string& ip);
Ec2Change unassign_private_ip(const std::string& interface_id, const std::string& ip);
// AllowReassociation=true; `private_ip` empty: the interface's primary one.
Ec2Change associate_address(const std::string& allocation_id, const std::string& interface_id,
                            const std::string& private_ip);
Ec2Change disassociate_address(const std::string& association_id);
Ec2Change replace_route(const std::string& table_id, const std::string& destination,
                        const std::string& interface_id);
Ec2Change create_route(const std::string& table_id, const std::string& destination,
                       const std::string& interface_id);
Ec2Change delete_route(const std::string& table_id, const std::string& destination);

// What EC2 answered a change with.
struct Ec2Outcome {
  std::string refusal;  // EC2's error code; empty: done
  Error error{Code::kInternal, ""};

  [[nodiscard]] Status status() const { return refusal.empty() ? Status{} : Status{error}; }
};

// One region as one identity sees it. Thread-safe. Each function is one call, where retries are not
// needed. Errors as of Ec2Query::call, and what EC2 refuses, kDenied or kRefused, with its words.
// An answer that lacks a part counts as cut: kRefused.
class Ec2Api {
 public:
  Ec2Api(CloudPorts ports, std::string profile, std::string region, std::string ca_file,
         std::string place);

  // Region and keys, which every call looks for where they are not known. No call of EC2.
  Status find_credentials(Deadline deadline);

  Result<std::vector<Ec2Interface>> interfaces(const std::vector<Ec2Filter>& filters,
                                               Deadline deadline);
  // kRefused where there is none.
  Result<Ec2Address> address(const std::string& allocation_id, Deadline deadline);
  // As many as ids, or kRefused.
  Result<std::vector<Ec2RouteTable>> route_tables(const std::vector<std::string>& ids,
                                                  Deadline deadline);
  // CIDR block of the subnet.
  Result<std::string> subnet_range(const std::string& subnet_id, Deadline deadline);
  // Those of all subnets of the region that the account sees.
  Result<std::vector<std::string>> subnet_ranges(Deadline deadline);
  // All CIDR blocks of the VPC, v4 and v6.
  Result<std::vector<std::string>> vpc_ranges(const std::string& vpc_id, Deadline deadline);
  Result<std::string> instance_type(const std::string& instance_id, Deadline deadline);
  // How many v4 addresses an interface of such an instance can have.
  Result<unsigned> addresses_per_interface(const std::string& instance_type, Deadline deadline);

  // The outcome is EC2's no where it has one; what EC2 did not answer is an error.
  Result<Ec2Outcome> change(const Ec2Change& change, Deadline deadline);
  // Whether EC2 would permit it (DryRun). kDenied: no, naming the permission. kRefused: something
  // else is wrong with it.
  Status dry_run(const Ec2Change& change, Deadline deadline);

 private:
  Result<std::vector<Ec2Answer>> describe(const std::string& action, Ec2Parameters parameters,
                                          const std::string& set, Deadline deadline);

  AwsIdentity identity_;
  Ec2Query query_;
};

}  // namespace mha
