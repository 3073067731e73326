// Setting up, asking and changing the cloud past the drivers.
#include "component/vip/real_openstack_world.h"

#include <utility>

#include "component/vip/only_bed.h"
#include "source_paths.h"

namespace mha {
namespace {

std::string without_version(const std::string& keystone) {
  return keystone.substr(0, keystone.rfind("/v3"));
}

const char* name_of(OpenstackMode mode) {
  if (mode == OpenstackMode::kAddressPair) return "address_pair";
  return mode == OpenstackMode::kFixedIp ? "fixed_ip" : "floating_ip";
}

}  // namespace

OpenstackBed::OpenstackBed()
    : process({MHA_SOURCE_DIR "/tests/cloud/openstack_bed", "--world"}),
      ready(process.read(std::chrono::seconds{300})),  // the first time, packages are fetched
      proxy({{"keystone", without_version(ready.at("keystone").get<std::string>())},
             {"neutron", ready.at("neutron").get<std::string>()}},
            "openstack") {}

std::unique_ptr<CloudWorld> RealOpenstackWorld::make(OpenstackMode mode) {
  OpenstackBed* bed = only_bed<OpenstackBed>();
  std::unique_ptr<TestNetwork> network = bed == nullptr ? nullptr : TestNetwork::make();
  if (network == nullptr) return nullptr;
  return std::unique_ptr<CloudWorld>(new RealOpenstackWorld(mode, *bed, std::move(network)));
}

RealOpenstackWorld::RealOpenstackWorld(OpenstackMode mode, OpenstackBed& bed,
                                       std::unique_ptr<TestNetwork> network)
    : mode_(mode), bed_(bed), hosts_(std::move(network)) {
  bed_.proxy.clear();
  bed_.proxy.take_count();
  log_in();
  // Changed only where the test before has: each change takes Neutron's time.
  const bool by_pairs = mode_ == OpenstackMode::kAddressPair;
  for (const char* host : {"a", "b", "third"}) {
    const Json now = port(host);
    const bool has_pair = !now.at("allowed_address_pairs").empty();
    if (by_pairs && std::string(host) != "third") {
      if (!has_pair) set_pairs(host, {vip_address()});
    } else if (has_pair) {
      set_pairs(host, {});
    }
    if (now.at("fixed_ips").size() > 1) set_extra_address(host, "");
  }
  if (!floating_ip().at("port_id").is_null()) set_floating_ip("");
  for (const char* host : {"a", "b"}) {
    hosts_.set_link_address(host, text("/ports/" + std::string(host) + "/mac"));
  }
}

CloudTraits RealOpenstackWorld::traits() const {
  CloudTraits traits;
  traits.has_os_part = mode_ != OpenstackMode::kFloatingIp;
  traits.moves_by_api = mode_ != OpenstackMode::kAddressPair;
  return traits;
}

std::string RealOpenstackWorld::text(const std::string& path) const {
  return bed_.ready.at("world").at(Json::json_pointer(path)).get<std::string>();
}

std::string RealOpenstackWorld::vip_address() const {
  return text(mode_ == OpenstackMode::kAddressPair ? "/pair_vip" : "/fixed_vip");
}

void RealOpenstackWorld::log_in() {
  const Json domain{{"id", "default"}};
  const Json body{
      {"auth",
       {{"identity",
         {{"methods", {"password"}},
          {"password",
           {{"user",
             {{"name", "dba"}, {"domain", domain}, {"password", text("/users/dba/password")}}}}}}},
        {"scope", {{"project", {{"name", text("/project")}, {"domain", domain}}}}}}}};
  HttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = bed_.ready.at("keystone").get<std::string>() + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = Secret(body.dump());
  request.proxy = HttpProxy::kNone;
  const Result<HttpResponse> answer =
      direct_.send(request, clock_.deadline_after(Milliseconds{20000}));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_EQ(answer.value().status, 201) << answer.value().body;
  token_ = answer.value().header("x-subject-token");
}

RealOpenstackWorld::Json RealOpenstackWorld::call(HttpMethod method, const std::string& path,
                                                  const Json& body) {
  HttpRequest request;
  request.method = method;
  request.url = bed_.ready.at("neutron").get<std::string>() + "/v2.0" + path;
  request.headers = {{"Content-Type", "application/json"}};
  request.secret_headers.push_back({"X-Auth-Token", Secret(token_)});
  if (!body.is_null()) request.body = Secret(body.dump());
  request.proxy = HttpProxy::kNone;
  const Result<HttpResponse> answer =
      direct_.send(request, clock_.deadline_after(Milliseconds{20000}));
  EXPECT_TRUE(answer.ok()) << answer.status().error().message;
  if (!answer.ok()) return {};
  EXPECT_EQ(answer.value().status, 200) << answer.value().body;
  return Json::parse(answer.value().body);
}

RealOpenstackWorld::Json RealOpenstackWorld::port(const std::string& host) {
  return call(HttpMethod::kGet, "/ports/" + id_of(host)).at("port");
}

RealOpenstackWorld::Json RealOpenstackWorld::floating_ip() {
  return call(HttpMethod::kGet, "/floatingips/" + text("/floating_ip/id")).at("floatingip");
}

void RealOpenstackWorld::set_pairs(const std::string& host,
                                   const std::vector<std::string>& addresses) {
  Json pairs = Json::array();
  for (const std::string& address : addresses) pairs.push_back({{"ip_address", address}});
  call(HttpMethod::kPut, "/ports/" + id_of(host), {{"port", {{"allowed_address_pairs", pairs}}}});
}

// The port's own address, and this one where it is not "".
void RealOpenstackWorld::set_extra_address(const std::string& host, const std::string& address) {
  const std::string subnet = text("/subnet");
  Json fixed = Json::array();
  fixed.push_back({{"subnet_id", subnet}, {"ip_address", text("/ports/" + host + "/address")}});
  if (!address.empty()) fixed.push_back({{"subnet_id", subnet}, {"ip_address", address}});
  call(HttpMethod::kPut, "/ports/" + id_of(host), {{"port", {{"fixed_ips", fixed}}}});
}

void RealOpenstackWorld::set_floating_ip(const std::string& host) {
  Json wanted{{"port_id", nullptr}};
  if (!host.empty()) {
    wanted = {{"port_id", id_of(host)}, {"fixed_ip_address", text("/ports/" + host + "/address")}};
  }
  call(HttpMethod::kPut, "/floatingips/" + text("/floating_ip/id"), {{"floatingip", wanted}});
}

std::set<std::string> RealOpenstackWorld::api_holders() {
  std::set<std::string> ids;
  if (mode_ == OpenstackMode::kFloatingIp) {
    const Json now = floating_ip();
    if (!now.at("port_id").is_null()) ids.insert(now.at("port_id").get<std::string>());
  } else {
    const char* list = mode_ == OpenstackMode::kAddressPair ? "allowed_address_pairs" : "fixed_ips";
    const Json all = call(HttpMethod::kGet, "/ports?network_id=" + text("/network"));
    for (const Json& one : all.at("ports")) {
      for (const Json& entry : one.at(list)) {
        if (entry.at("ip_address") == vip_address()) ids.insert(one.at("id").get<std::string>());
      }
    }
  }
  std::set<std::string> holders;
  for (const char* host : {"a", "b", "third"}) {
    if (ids.erase(id_of(host)) > 0) holders.insert(host);
  }
  holders.insert(ids.begin(), ids.end());  // nobody whom a test knows
  return holders;
}

void RealOpenstackWorld::give_to_third_machine() {
  if (mode_ == OpenstackMode::kAddressPair) hosts_.let_third_answer(vip_address());
  if (mode_ == OpenstackMode::kFixedIp) set_extra_address("third", vip_address());
  if (mode_ == OpenstackMode::kFloatingIp) set_floating_ip("third");
}

VipSite RealOpenstackWorld::site_of(const std::string& host) {
  VipSite site;
  site.host = "host-" + host;
  site.ip = text("/ports/" + host + "/address");
  HostSettings& settings = site.settings;
  settings.host = site.host;
  settings.file = "mha-helper.conf";
  settings.vip_type = VipType::kOpenstack;
  settings.requires_sudo = false;
  settings.openstack.mode = mode_;
  settings.openstack.ca_file = bed_.proxy.ca_file();
  settings.openstack.network_id = text("/network");  // another one may use the same addresses
  if (mode_ == OpenstackMode::kFloatingIp) {
    settings.openstack.floating_ip_id = text("/floating_ip/id");
  } else {
    settings.writer_vip = Cidr{vip_address(), 24, false};
    settings.cluster_interface = hosts_.interface();
  }
  return site;
}

std::unique_ptr<HttpClient> RealOpenstackWorld::make_http(CloudKeys /*keys*/) {
  return std::make_unique<CurlHttpClient>(clock_, quiet_);
}

// The application credential whose access rules are the mode's least, or the user who may read.
std::optional<std::string> RealOpenstackWorld::variable(CloudKeys keys, const std::string& name) {
  if (name == "OS_AUTH_URL") return bed_.proxy.url("keystone") + "/v3";
  if (name == "OS_REGION_NAME") return text("/region");
  if (name == "HOME") return "/nonexistent";
  if (keys == CloudKeys::kPoor) {
    if (name == "OS_USERNAME") return "poor";
    if (name == "OS_PASSWORD") return text("/users/poor/password");
    if (name == "OS_PROJECT_NAME") return text("/users/poor/project");
    if (name == "OS_USER_DOMAIN_ID" || name == "OS_PROJECT_DOMAIN_ID") return "default";
    return std::nullopt;
  }
  const std::string credential = "/credentials/" + std::string(name_of(mode_));
  if (name == "OS_AUTH_TYPE") return "v3applicationcredential";
  if (name == "OS_APPLICATION_CREDENTIAL_ID") return text(credential + "/id");
  if (name == "OS_APPLICATION_CREDENTIAL_SECRET") {
    return keys == CloudKeys::kWrong ? "wrong" : text(credential + "/secret");
  }
  return std::nullopt;
}

}  // namespace mha
