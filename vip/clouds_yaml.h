// Reading one cloud's entry from clouds.yaml and secure.yaml.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "vip/cloud_ports.h"

namespace mha {

// The scalars of a cloud's entry by their keys, those under `auth` among them without that prefix,
// as openstacksdk sees them too. The first of `regions` is its region_name where it has none.
struct CloudEntry {
  std::string file;  // clouds.yaml's path
  std::map<std::string, Secret> values;
};

Result<CloudEntry> read_clouds_yaml(const std::string& cloud, const Environ& environ,
                                    const std::vector<std::string>& folders);

}  // namespace mha
