#!/bin/bash
# What the TURN server runs with, brought up to date: its address, the secrets, the certificate. At boot and every hour, as root.
# Nothing here is printed but what was done. ROOT is for tests.
set -euo pipefail
root=${ROOT:-}
etc=$root/etc/holodeck
. "$etc/turn.env"

imds() { curl -sSf -m 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"; }
token=$(curl -sSf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
instance=$(imds instance-id)
private=$(imds local-ipv4)
aws ec2 associate-address --region "$REGION" --allocation-id "$ALLOCATION_ID" --instance-id "$instance" --allow-reassociation >/dev/null

# A certificate of its own until there is a true one: plain TURN works meanwhile.
if [ ! -s "$etc/cert.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$DOMAIN" -keyout "$etc/key.pem" -out "$etc/cert.pem" 2>/dev/null
fi

# One secret a line, the newest first. Without any, nothing is changed, and a server that has not started does not.
umask 027
secrets=$(aws ssm get-parameter --region "$REGION" --name "$SECRET_PARAMETER" --with-decryption --query Parameter.Value --output text)
lines=$(sed -nE 's#^[[:space:]]*([A-Za-z0-9_+/=.-]{32,})[[:space:]]*$#static-auth-secret=\1#p' <<<"$secrets")
if [ -z "$lines" ]; then echo "there is no TURN secret in $SECRET_PARAMETER" >&2; exit 1; fi
{
  cat "$etc/turnserver.conf.in"
  printf 'listening-ip=%s\nrelay-ip=%s\nexternal-ip=%s/%s\n' "$private" "$private" "$PUBLIC_IP" "$private"
  echo "$lines"
} >"$root/etc/turnserver.conf.new"
chown "root:${GROUP_NAME:-turnserver}" "$root/etc/turnserver.conf.new" "$etc/key.pem" "$etc/cert.pem"
chmod 640 "$root/etc/turnserver.conf.new" "$etc/key.pem"
if cmp -s "$root/etc/turnserver.conf.new" "$root/etc/turnserver.conf"; then
  rm "$root/etc/turnserver.conf.new"
else
  mv "$root/etc/turnserver.conf.new" "$root/etc/turnserver.conf"
  systemctl restart coturn
  echo "configured"
fi

# Let's Encrypt asks at port 80, where nothing listens but this, now. It fails until the domain points here; then the next hour does it.
live=$root/etc/letsencrypt/live/$DOMAIN
certbot certonly --quiet --non-interactive --agree-tos --register-unsafely-without-email --standalone --keep-until-expiring -d "$DOMAIN" || echo "no certificate for $DOMAIN yet"
if [ -s "$live/fullchain.pem" ] && ! cmp -s "$live/fullchain.pem" "$etc/cert.pem"; then
  cat "$live/fullchain.pem" >"$etc/cert.pem"
  cat "$live/privkey.pem" >"$etc/key.pem"
  systemctl kill --signal=USR2 coturn  # it reads its certificate anew; nobody is cut off
  echo "certified"
fi
