#!/bin/sh
# call-light for whoever runs the machine: as the service's account, with its folders and its secrets. Run it as root.
set -eu
umask 077
given=$(mktemp -d /run/call-light.XXXXXX)
trap 'rm -rf "$given"' EXIT
# Else Ctrl-C, or a window that is closed, would leave the secrets there: a shell that is ended by a signal runs no EXIT.
trap 'exit 130' INT
trap 'exit 129' HUP
trap 'exit 143' TERM
for secret in /etc/call-light/secrets/*; do
    [ -f "$secret" ] && install -m 0400 "$secret" "$given/"
done
chown -R call-light: "$given"
# NAME=value as systemd reads it, where blanks need no quotes: it is not run.
if [ -f /etc/call-light/environment ]; then
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            [A-Za-z_]*=\"*\") value=${line#*=\"} && export "${line%%=*}=${value%\"}" ;;
            [A-Za-z_]*=\'*\') value=${line#*=\'} && export "${line%%=*}=${value%\'}" ;;
            [A-Za-z_]*=*) export "$line" ;;
        esac
    done < /etc/call-light/environment
fi
export CALL_LIGHT_CONFIG=/etc/call-light/config CALL_LIGHT_DATA=/var/lib/call-light CREDENTIALS_DIRECTORY="$given"
export HOME=/var/lib/call-light
cd /var/lib/call-light
runuser -u call-light -- /opt/call-light/bin/call-light "$@"
