# What the shell hooks share: MHA's options, SQL with a password that argv does not show, SSH.
# /etc/mha-shell-hooks.conf sets vip_cidr, interface and sudo.

. /etc/mha-shell-hooks.conf
vip=${vip_cidr%/*}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Each --name=value becomes a variable; MHA's backslash before a special character is taken off.
for argument in "$@"; do
  case $argument in
    --*=*) ;;
    *) continue ;;
  esac
  name=${argument%%=*}
  name=${name#--}
  value=$(printf '%s\n' "${argument#*=}" | sed 's/\\\(.\)/\1/g')
  printf -v "$name" %s "$value"
done

sql() {  # sql orig_master|new_master STATEMENT...
  local host="$1_host" port="$1_port" user="$1_user" password="$1_password"
  MYSQL_PWD=${!password} mysql --connect-timeout=3 -N -B -h "${!host}" -P "${!port}" \
    -u "${!user}" -e "$2"
}

ssh_to() {  # ssh_to USER HOST COMMAND
  ssh -o StrictHostKeyChecking=no -o PasswordAuthentication=no -o BatchMode=yes \
    -o ConnectTimeout=5 "$1@$2" "$3"
}

vip_off() {  # vip_off USER HOST: an absent address is good
  ssh_to "$1" "$2" "PATH=/usr/sbin:\$PATH; ip addr show dev $interface | grep -qwF '$vip' || exit 0;
    $sudo ip addr del '$vip_cidr' dev $interface"
}

vip_on() {  # vip_on USER HOST: then tell the neighbours, in the background (arping waits a second)
  local announce="$sudo arping -q -c 1 -U -I $interface '$vip'"
  case $vip in
    *:*) announce=: ;;
  esac
  ssh_to "$1" "$2" "PATH=/usr/sbin:\$PATH; $sudo ip addr add '$vip_cidr' dev $interface &&
    { $announce </dev/null >/dev/null 2>&1 & }"
}
