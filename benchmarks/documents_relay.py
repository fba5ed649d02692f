"""One scene of 1,000 entities, 50 people by WebRTC on the media node, a durable log: beside ShareDB and Yjs in memory.

Every edit goes by the control channel to the node, which gathers for some milliseconds, commits what came by one
conditional append to the log in the DynamoDB emulator, and then tells everybody. The clients are libdatachannel's
(benchmarks/peers/relayed.mjs), all 50 in one process.
"""

import asyncio

from benchmarks.documents_job import compare
from benchmarks.report import Report


def main() -> Report:
    """The whole comparison."""
    report = Report("documents-relay")
    asyncio.run(compare(report, "relay"))
    return report
