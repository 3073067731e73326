// clouds.yaml with secure.yaml laid over it, by yaml-cpp.
#include "vip/clouds_yaml.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "config/diagnostic.h"

namespace mha {
namespace {

// Keys and values of the files may be anything.
template <typename... Args>
Error wrong(fmt::format_string<Args...> format, Args&&... args) {
  return Error{Code::kConfig, without_controls(fmt::format(format, std::forward<Args>(args)...))};
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error);
}

// The first file of that name; what the variable names comes first, and must be there.
Result<std::optional<std::string>> find_file(const char* variable, const char* name,
                                             const Environ& environ,
                                             const std::vector<std::string>& folders) {
  if (const auto named = environ(variable); named.has_value() && !named->empty()) {
    if (!is_there(*named)) return wrong("{} names {}, which is not there", variable, *named);
    return named;
  }
  for (const std::string& folder : folders) {
    for (const char* suffix : {".yaml", ".yml", ".json"}) {
      const std::string path = fmt::format("{}/{}{}", folder, name, suffix);
      if (is_there(path)) return std::optional(path);
    }
  }
  return std::optional<std::string>{};
}

// The message of yaml-cpp says where and what, and nothing of the file's content.
Result<YAML::Node> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return wrong("{} cannot be read; is it readable for the user who runs this?", path);
  }
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  try {
    YAML::Node root = YAML::Load(text);
    wipe(text.data(), text.size());
    return root;
  } catch (const YAML::Exception& error) {
    wipe(text.data(), text.size());
    return wrong("{}:{}: is not YAML: {}", path, error.mark.line + 1, error.msg);
  }
}

void take_scalars(const YAML::Node& map, CloudEntry& entry) {
  for (const auto& item : map) {
    if (!item.first.IsScalar() || !item.second.IsScalar()) continue;
    entry.values[item.first.Scalar()] = Secret{item.second.Scalar()};
  }
}

// Later calls lay their values over earlier ones.
void take_entry(const YAML::Node& cloud, CloudEntry& entry) {
  take_scalars(cloud, entry);
  if (cloud["auth"].IsDefined() && cloud["auth"].IsMap()) take_scalars(cloud["auth"], entry);
  const YAML::Node regions = cloud["regions"];
  if (!regions.IsDefined() || !regions.IsSequence() || regions.size() == 0) return;
  const YAML::Node first = regions[0].IsMap() ? regions[0]["name"] : regions[0];
  if (first.IsDefined() && first.IsScalar() && !entry.values.contains("region_name")) {
    entry.values["region_name"] = Secret{first.Scalar()};
  }
}

std::vector<std::string> names_in(const YAML::Node& clouds) {
  std::vector<std::string> names;
  for (const auto& item : clouds) {
    if (item.first.IsScalar()) names.push_back(item.first.Scalar());
  }
  return names;
}

Result<CloudEntry> entry_in(const std::string& path, const std::string& cloud) {
  const Result<YAML::Node> root = load(path);
  if (!root.ok()) return root.error();
  const YAML::Node& file = root.value();
  if (!file.IsMap() || !file["clouds"].IsDefined() || !file["clouds"].IsMap()) {
    return wrong("{} has no 'clouds:' with entries under it", path);
  }
  const YAML::Node clouds = file["clouds"];
  if (!clouds[cloud].IsDefined() || !clouds[cloud].IsMap()) {
    return wrong("the cloud '{}' is not in {}, which has: {}", cloud, path,
                 fmt::join(names_in(clouds), ", "));
  }
  CloudEntry entry;
  entry.file = path;
  take_entry(clouds[cloud], entry);
  return entry;
}

}  // namespace

Result<CloudEntry> read_clouds_yaml(const std::string& cloud, const Environ& environ,
                                    const std::vector<std::string>& folders) {
  const auto path = find_file("OS_CLIENT_CONFIG_FILE", "clouds", environ, folders);
  if (!path.ok()) return path.error();
  if (!path.value().has_value()) {
    return wrong("the cloud '{}' is not known: there is no clouds.yaml in {}", cloud,
                 fmt::join(folders, ", "));
  }
  const auto secure = find_file("OS_CLIENT_SECURE_FILE", "secure", environ, folders);
  if (!secure.ok()) return secure.error();
  // yaml-cpp throws where a node is used as what it is not, too.
  try {
    Result<CloudEntry> entry = entry_in(*path.value(), cloud);
    if (!entry.ok() || !secure.value().has_value()) return entry;
    const Result<YAML::Node> root = load(*secure.value());
    if (!root.ok()) return root.error();
    const YAML::Node clouds = root.value().IsMap() ? root.value()["clouds"] : YAML::Node{};
    if (clouds.IsDefined() && clouds.IsMap() && clouds[cloud].IsDefined() &&
        clouds[cloud].IsMap()) {
      take_entry(clouds[cloud], entry.value());
    }
    return entry;
  } catch (const YAML::Exception& error) {
    return wrong("{}: the entry of the cloud '{}' is not understood: {}", *path.value(), cloud,
                 error.msg);
  }
}

}  // namespace mha
