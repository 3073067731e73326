# Bash completion for the programs of mha-helper; installed under the name of each.

_mha_helper() {
  local program=$1 word=$2 previous=$3
  # "=" is a word of its own where COMP_WORDBREAKS has it.
  [ "$word" = = ] && word=
  [ "$previous" = = ] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  local words=
  case "$previous" in
    --command)
      case "$program" in
        *online*) words="stop start" ;;
        *) words="status stop stopssh start" ;;
      esac ;;
    --interactive | --orig_master_is_new_slave) words="0 1" ;;
    -c | --conf) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --config_dir | --state_dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    *)
      case "$word" in
        # The program's own help is what cannot be out of date.
        -*) words=$("$program" --help 2>/dev/null | grep -o -- '--[a-z][a-z_]*' | sort -u) ;;
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _mha_helper mysql_online_failover mysql_failover \
  master_ip_online_failover_helper master_ip_hard_failover_helper master_failover_report
