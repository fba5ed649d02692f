"""One scene of 1,000 entities, 50 people on WebSockets, a durable log: beside ShareDB and Yjs, which keep theirs in memory.

Every edit goes gateway -> worker -> queue -> committer -> log in the DynamoDB emulator, and from there to everybody.
"""

import asyncio

from benchmarks.documents_job import compare
from benchmarks.report import Report


def main() -> Report:
    """The whole comparison."""
    report = Report("documents-websocket")
    asyncio.run(compare(report, "holodeck"))
    return report
