// Threads of a server: from the rows of SHOW PROCESSLIST, and in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/answer.h"
#include "ports/mysql_server.h"

namespace mha {

// Rows of SHOW PROCESSLIST, all but `own_id`.
std::vector<ServerThread> threads_from_rows(const std::vector<SqlRow>& rows, std::uint64_t own_id);

// "thread 42 (app@10.0.0.5:41000)".
std::string thread_name(const ServerThread& thread);

// "idle for 5 s", "running for 5 s: UPDATE ...".
std::string activity(const ServerThread& thread);

// Whether a statement only reads, by its first word. What it calls may write all the same: InnoDB
// is to be asked as well.
bool only_reads(std::string_view statement);

// False for dump threads, appliers that wait, the event scheduler: they run for ever and block
// nothing.
bool is_running_statement(const ServerThread& thread);

}  // namespace mha
