"""The page: a private bucket behind CloudFront, and `/api/*` of the same origin to the REST API."""

from typing import Any, Final

from infra.data import over_tls_only, private_bucket
from infra.names import REST_API, STAGE_NAME, WEBSOCKET_API, Resources, att, kept, ref, sub

CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

_ALWAYS: Final = {
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {"AccessControlMaxAgeSec": 31536000, "IncludeSubdomains": True, "Override": True},
}

REWRITE: Final = """function handler(event) {
  var request = event.request;
  if (request.uri.lastIndexOf('.') <= request.uri.lastIndexOf('/')) request.uri = '/index.html';
  return request;
}
"""


def content_security_policy(websocket: str, files: str, frame_ancestors: str) -> str:
    """What the page may load and reach; `local/gateway/page.py` sends the same to a page on one machine.

    `files` is the bucket's origin, with a space before it; nothing where it is the page's own.
    """
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            f"media-src 'self' blob:{files}",
            "worker-src 'self' blob:",
            f"connect-src 'self' {websocket}{files}",
            "object-src 'none'",
            "base-uri 'none'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def cdn(stage: str) -> Resources:
    """Bucket, access control, functions, headers and the distribution."""
    return {
        "PageBucket": _bucket(stage),
        "PageBucketPolicy": _bucket_policy(),
        "PageAccess": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {
                "OriginAccessControlConfig": {
                    "Name": sub("${AWS::StackName}-page"),
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        },
        "PageRewrite": {
            "Type": "AWS::CloudFront::Function",
            "Properties": {
                "Name": sub("${AWS::StackName}-page"),
                "AutoPublish": True,
                "FunctionCode": REWRITE,
                "FunctionConfig": {"Comment": "one page, many paths", "Runtime": "cloudfront-js-2.0"},
            },
        },
        "PageHeaders": _page_headers(),
        "ApiHeaders": _headers("api", _ALWAYS),
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": _distribution()},
        },
    }


def _bucket(stage: str) -> dict[str, Any]:
    rule = {
        "Id": "old-pages",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    return {
        "Type": "AWS::S3::Bucket",
        **kept(stage == "prod"),
        "Properties": {**private_bucket(rule), "VersioningConfiguration": {"Status": "Enabled"}},
    }


def _bucket_policy() -> dict[str, Any]:
    bucket = att("PageBucket", "Arn")
    objects = sub("${PageBucket.Arn}/*")
    distribution = sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}")
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": ref("PageBucket"),
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudfront.amazonaws.com"},
                        "Action": "s3:GetObject",
                        "Resource": objects,
                        "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
                    },
                    {  # without it S3 would answer 403 where nothing is, and not 404
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudfront.amazonaws.com"},
                        "Action": "s3:ListBucket",
                        "Resource": bucket,
                        "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
                    },
                    over_tls_only("PageBucket"),
                ],
            },
        },
    }


def _page_headers() -> dict[str, Any]:
    websocket = "wss://${" + WEBSOCKET_API + "}.execute-api.${AWS::Region}.amazonaws.com"
    files = " https://${DocumentsBucket}.s3.${AWS::Region}.amazonaws.com"
    policy = content_security_policy(websocket, files, "${FrameAncestors}")
    permissions = {
        "Header": "Permissions-Policy",
        "Value": "microphone=(self), camera=(self), display-capture=(self)",
        "Override": True,
    }
    security = {
        **_ALWAYS,
        "ContentSecurityPolicy": {"ContentSecurityPolicy": sub(policy), "Override": True},
        "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": True},
    }
    return _headers("page", security, permissions)


def _headers(name: str, security: dict[str, Any], *custom: dict[str, Any]) -> dict[str, Any]:
    config = {"Name": sub("${AWS::StackName}-" + name), "SecurityHeadersConfig": security}
    if custom:
        config["CustomHeadersConfig"] = {"Items": list(custom)}
    return {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {"ResponseHeadersPolicyConfig": config}}


def _distribution() -> dict[str, Any]:
    return {
        "Enabled": True,
        "Comment": sub("${AWS::StackName}"),
        "HttpVersion": "http2and3",
        "IPV6Enabled": True,
        "PriceClass": "PriceClass_100",
        "DefaultRootObject": "index.html",
        "Origins": [
            {
                "Id": "page",
                "DomainName": att("PageBucket", "RegionalDomainName"),
                "OriginAccessControlId": att("PageAccess", "Id"),
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            },
            {
                "Id": "api",
                "DomainName": sub("${" + REST_API + "}.execute-api.${AWS::Region}.amazonaws.com"),
                "CustomOriginConfig": {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]},
            },
        ],
        "DefaultCacheBehavior": {
            "TargetOriginId": "page",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": CACHING_OPTIMIZED,
            "ResponseHeadersPolicyId": ref("PageHeaders"),
            "Compress": True,
            "FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": att("PageRewrite", "FunctionARN")}],
        },
        "CacheBehaviors": [
            {
                "PathPattern": f"/{STAGE_NAME}/*",
                "TargetOriginId": "api",
                "ViewerProtocolPolicy": "https-only",
                "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
                "CachePolicyId": CACHING_DISABLED,
                "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
                "ResponseHeadersPolicyId": ref("ApiHeaders"),
            }
        ],
    }
