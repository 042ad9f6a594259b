#!/bin/sh
# Takes the arguments "mini -dir=/data -s3.port=8333" of the real image.
set -eu
[ "$*" = "mini -dir=/data -s3.port=8333" ] || { echo "This stand-in has no $*." >&2; exit 2; }
export RCLONE_AUTH_KEY="\"$AWS_ACCESS_KEY_ID,$AWS_SECRET_ACCESS_KEY\"" XDG_DATA_HOME=/tmp XDG_CONFIG_HOME=/tmp
caddy start --config /etc/Caddyfile --adapter caddyfile >/tmp/caddy.log 2>&1
exec rclone serve s3 /data --addr 127.0.0.1:8334 --dir-cache-time 1s --config /dev/null --cache-dir /tmp
