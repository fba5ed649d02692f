#!/usr/bin/env bash
# The real programs that tests drive. As root they are installed by apt; otherwise one line says what to install.
set -euo pipefail
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
command -v turnserver >/dev/null || missing+=(coturn)
command -v ip >/dev/null || missing+=(iproute2)
command -v ffprobe >/dev/null || missing+=(ffmpeg)
command -v opusinfo >/dev/null || missing+=(opus-tools)
command -v nft >/dev/null || [ -x /usr/sbin/nft ] || missing+=(nftables)
command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || missing+=(gcc libc6-dev)
[ ! -x .venv/bin/python ] || .venv/bin/python -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_paths()["include"], "Python.h").exists())' || missing+=(python3-dev)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || exit 1
  # The package starts a server of its own, open to all; the tests start theirs.
  if [[ " ${missing[*]} " == *" coturn "* ]] && command -v systemctl >/dev/null; then systemctl disable --now coturn >/dev/null 2>&1 || true; fi
  exit 0
fi
echo "Install for the full test run: ${missing[*]} (on Debian: apt-get install ${missing[*]}). What needs them is skipped and said so."
