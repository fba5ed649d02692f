"""The TURN server's instance: what may reach it, what it may do, and that what it boots with does what it should.

Its script runs here, with stand-ins for AWS's tools that answer as they do.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.turn import Turn, configuration
from infra.turn_host import REFRESH, boot, conditions, statements, turn_host

USER_DATA_BYTES = 16 * 1024
VALUES = {
    "AWS::Region": "eu-west-1",
    "TurnDomain": "turn.example.org",
    "TurnAddress": "5.6.7.8",
    "TurnAddress.AllocationId": "eipalloc-1",
    "TurnSecretParameter": "/holodeck/dev/turn-secret",
}
SECRETS = f"{'a' * 40}==\n{'b' * 40}"
_AWS = """#!/bin/sh
echo "$@" >>"$ROOT/asked"
case "$*" in *get-parameter*) cat "$ROOT/secret";; esac
"""
_CURL = """#!/bin/sh
case "$*" in *api/token*) echo token;; *instance-id*) echo i-1;; *local-ipv4*) echo 10.74.0.5;; esac
"""
_CERTBOT = """#!/bin/sh
[ -e "$ROOT/pointing" ] || exit 1
mkdir -p "$ROOT/etc/letsencrypt/live/turn.example.org"
echo true >"$ROOT/etc/letsencrypt/live/turn.example.org/fullchain.pem"
echo key >"$ROOT/etc/letsencrypt/live/turn.example.org/privkey.pem"
"""
_SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$ROOT/systemd"
"""


def rendered() -> str:
    """The user data as the instance gets it: Fn::Sub done."""
    text = re.sub(r"\$\{([A-Za-z:.]+)\}", lambda found: VALUES[found[1]], boot())
    return text.replace("${!", "${")


def files() -> dict[str, str]:
    """What the user data writes, by path."""
    return dict(re.findall(r"^cat >(\S+) <<'HOLODECK'\n(.*?)^HOLODECK$", rendered(), re.MULTILINE | re.DOTALL))


class Host:
    """A root of its own, on which the script runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, text in files().items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.etc = root / "etc/holodeck"
        (root / "secret").write_text(SECRETS + "\n")
        tools = {"aws": _AWS, "curl": _CURL, "certbot": _CERTBOT, "systemctl": _SYSTEMCTL, "chown": "#!/bin/sh\n"}
        for name, text in tools.items():
            tool = root / "bin" / name
            tool.parent.mkdir(exist_ok=True)
            tool.write_text(text)
            tool.chmod(0o755)

    def refresh(self) -> subprocess.CompletedProcess[str]:
        """Runs the script as boot and timer do; returns what systemd was told in `systemd`."""
        (self.root / "systemd").write_text("")
        env = {"ROOT": str(self.root), "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        script = str(self.root / "usr/local/sbin/holodeck-turn")
        return subprocess.run(["bash", script], env=env, capture_output=True, text=True, check=False)

    @property
    def conf(self) -> str:
        """The configuration that coturn starts with."""
        return (self.root / "etc/turnserver.conf").read_text()

    @property
    def systemd(self) -> list[str]:
        """What the last run told it."""
        return (self.root / "systemd").read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """An instance that has just booted."""
    return Host(tmp_path)


def test_the_configuration_is_the_one_that_is_tested(host: Host) -> None:
    """What the script writes is what infra/turn.py makes of the same settings, line by line; coturn is started with it."""
    assert host.refresh().returncode == 0
    turn = Turn(
        "turn.example.org",
        SECRETS,
        "/etc/holodeck/cert.pem",
        "/etc/holodeck/key.pem",
        external_ip="5.6.7.8/10.74.0.5",
        listening_ip="10.74.0.5",
    )
    assert sorted(host.conf.splitlines()) == sorted(configuration(turn).splitlines())
    assert host.systemd == ["restart coturn"]


def test_an_instance_takes_the_address(host: Host) -> None:
    """So that the domain points to whichever instance there is."""
    host.refresh()
    asked = (host.root / "asked").read_text()
    assert "associate-address --region eu-west-1 --allocation-id eipalloc-1 --instance-id i-1" in asked


def test_nothing_new_is_nothing_done(host: Host) -> None:
    """An hour later nobody is cut off."""
    host.refresh()
    host.refresh()
    assert host.systemd == []


def test_a_new_secret_is_taken(host: Host) -> None:
    """Another line in the parameter is in the configuration within the hour."""
    host.refresh()
    (host.root / "secret").write_text(f"{'c' * 40}\n{SECRETS}\n")
    host.refresh()
    assert f"static-auth-secret={'c' * 40}\n" in host.conf
    assert host.systemd == ["restart coturn"]


@pytest.mark.parametrize("text", ["", "None\n", "short\n", "two words that are long enough to be one secret\n"])
def test_without_a_secret_nothing_is_changed(host: Host, text: str) -> None:
    """A parameter that was emptied takes no server down, and opens none."""
    host.refresh()
    before = host.conf
    (host.root / "secret").write_text(text)
    done = host.refresh()
    assert done.returncode == 1
    assert "there is no TURN secret" in done.stderr
    assert (host.conf, host.systemd) == (before, [])


def test_the_true_certificate_replaces_its_own(host: Host) -> None:
    """Until the domain points here it has one of its own; then coturn reads the true one, without a restart."""
    host.refresh()
    assert "BEGIN CERTIFICATE" in (host.etc / "cert.pem").read_text()
    (host.root / "pointing").write_text("")
    host.refresh()
    assert (host.etc / "cert.pem").read_text() == "true\n"
    assert host.systemd == ["kill --signal=USR2 coturn"]
    host.refresh()
    assert host.systemd == []


def test_nothing_secret_is_said_or_open(host: Host) -> None:
    """The script prints no secret, and others than root and coturn read neither configuration nor key."""
    done = host.refresh()
    assert not [secret for secret in SECRETS.split() if secret in done.stdout + done.stderr]
    for path in (host.root / "etc/turnserver.conf", host.etc / "key.pem"):
        assert path.stat().st_mode & 0o007 == 0


def test_the_user_data_is_a_script_that_fits() -> None:
    """bash reads it, EC2 takes it, no variable of CloudFormation is left in it, and no secret is in it."""
    text = rendered()
    assert len(text.encode()) <= USER_DATA_BYTES
    assert not [line for line in text.splitlines() if "static-auth-secret=" in line and "\\1" not in line]
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False).stderr == ""
    assert files()["/usr/local/sbin/holodeck-turn"] == REFRESH.read_text()


def test_what_may_reach_it_is_what_it_serves() -> None:
    """STUN and TURN, TURN by TLS, what it relays, and whoever signs its certificate; no SSH."""
    group = turn_host("dev")["TurnSecurityGroup"]["Properties"]
    open_ = {(r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupIngress"]}
    relayed = ("udp", 49152, 65535)
    assert open_ == {("udp", 3478, 3478), ("tcp", 3478, 3478), ("tcp", 443, 443), ("tcp", 80, 80), relayed}


def test_metadata_needs_a_token() -> None:
    """IMDSv2, one hop: what is relayed could not read it even if it reached it."""
    data = turn_host("dev")["TurnTemplate"]["Properties"]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


def test_it_may_take_its_address_and_read_its_secret() -> None:
    """And nothing else."""
    allowed: list[dict[str, Any]] = statements("holodeck-dev-turn")
    assert {action for s in allowed for action in s["Action"]} == {"ec2:AssociateAddress", "ssm:GetParameter"}
    assert all("*" not in s["Resource"] for s in allowed)


def test_there_is_none_without_a_domain() -> None:
    """It costs by the hour, so each of its resources has the condition."""
    assert {r["Condition"] for r in turn_host("dev").values()} == set(conditions())
