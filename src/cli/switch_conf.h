// MHA's configuration as the programs read it, with what its init_conf_load_script prints.
#pragma once

#include <string>

#include "cli/program.h"
#include "config/mha_conf.h"

namespace mha {

// load_mha_conf with a script run by /bin/sh, as MHA runs it, for 10 s at most. Errors: kConfig.
Result<MhaConf> load_switch_conf(const Program& program, const std::string& path);

}  // namespace mha
