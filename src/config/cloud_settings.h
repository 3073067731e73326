// Where a virtual IP lives in a cloud, as the configuration says it for one host.
#pragma once

#include <string>
#include <vector>

namespace mha {

// How vip_type=aws moves the address (facts on each: docs/vip-aws.rst).
enum class AwsMode { kSecondaryIp, kEip, kRoute };

struct AwsSettings {
  AwsMode mode = AwsMode::kSecondaryIp;
  std::string region;        // empty: as the SDKs find it (environment, profile, instance metadata)
  std::string profile;       // of the shared credentials file; empty: AWS_PROFILE, else "default"
  std::string instance_id;   // of this host; empty: found by interface_id, or the host's address
  std::string interface_id;  // of this host; empty: the one that has the host's address
  std::string allocation_id;  // set for eip
  std::string private_ip;     // for eip: the address of the interface that the public one maps to;
                              // empty: its primary one
  std::vector<std::string> route_table_ids;  // at least one for route
  std::string ca_file;                       // key aws_ca; empty: the system's authorities
};

// How vip_type=openstack moves the address (docs/vip-openstack.rst).
enum class OpenstackMode { kAddressPair, kFloatingIp, kFixedIp };

struct OpenstackSettings {
  OpenstackMode mode = OpenstackMode::kAddressPair;
  std::string cloud;           // entry of clouds.yaml; empty: OS_CLOUD, else the OS_* variables
  std::string region;          // empty: the cloud's own
  std::string port_id;         // of this host; empty: the port that has the host's address
  std::string network_id;      // narrows that search down; empty: any
  std::string floating_ip_id;  // for floating_ip; empty: found by writer_vip_cidr
  std::string ca_file;         // key openstack_ca; empty: the cloud's own, else the system's
};

}  // namespace mha
