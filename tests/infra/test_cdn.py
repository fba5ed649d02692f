"""The page at the edge: which file a path is, and what the page may do. The same as the local gateway serves it."""

import json
import shutil
import subprocess

import pytest

from infra.cdn import REWRITE, cdn, content_security_policy
from local.gateway.page import CONTENT_SECURITY_POLICY

node = pytest.mark.skipif(shutil.which("node") is None, reason="Node runs the function here, as CloudFront does there")


@node
@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "/index.html"),
        ("/r/ses_abc", "/index.html"),
        ("/r/ses.abc/", "/index.html"),
        ("/assets/index-1a2b.js", "/assets/index-1a2b.js"),
        ("/favicon.svg", "/favicon.svg"),
        ("/missing.png", "/missing.png"),
    ],
)
def test_a_path_of_the_page_is_the_page(path: str, file: str) -> None:
    """What has no extension is a room or the lobby; what has one is a file, or missing."""
    script = f"{REWRITE};console.log(handler({{request: {{uri: {json.dumps(path)}}}}}).uri)"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == file


def test_the_api_is_not_rewritten() -> None:
    """Errors of the API stay the API's: its behaviour has no function, nobody's error pages, and no cache."""
    config = cdn("dev")["Distribution"]["Properties"]["DistributionConfig"]
    (behaviour,) = config["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/api/*"
    assert "FunctionAssociations" not in behaviour
    assert "CustomErrorResponses" not in config
    assert {"POST", "PUT", "DELETE"} <= set(behaviour["AllowedMethods"])


def test_the_page_may_do_in_aws_what_it_may_do_here() -> None:
    """One policy but for the WebSocket's address and the bucket's: what works in the local system is not forbidden in AWS."""
    assert content_security_policy("ws: wss:", "", "'self'") == CONTENT_SECURITY_POLICY
