"""What the page's main thread pays for others' edits in a scene of 1,000 entities, in real Chromium.

A bot edits; in a window that is in the same room the handling of each `op.committed` is timed whole: decoding,
transform, view, the three.js objects that changed, the panels. So are the page's own frames. All of it is script on the
main thread; drawing happens in another process, which here is a software renderer and not counted. 60 fps leave 16.7 ms.
"""

import asyncio
import json

from playwright.async_api import async_playwright

from benchmarks.client import Api
from benchmarks.editor import DocumentClient
from benchmarks.report import Report, percentile
from chalicelib.wire.operations import Create, Operation, Set
from local.stack import Stack
from tests.e2e.conftest import CHROMIUM, FLAGS, create_room, window

ENTITIES = 1000
AT_ONCE = 100
ROUNDS = 150
WARM_UP = 30  # the first are not compiled yet
EVERY_S = 0.1  # longer than the drainer's tick, so that each edit is a commit of its own

TIMING = """(() => {
  const costs = { commits: [], frames: [] };
  window.__costs = costs;
  const native = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  Object.defineProperty(WebSocket.prototype, "onmessage", { ...native, set(handler) {
    native.set.call(this, handler && ((event) => {
      const start = performance.now();
      handler.call(this, event);
      if (String(event.data).includes('"type":"op.committed"')) costs.commits.push(performance.now() - start);
    }));
  } });
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) => request((now) => {
    const start = performance.now();
    call(now);
    costs.frames.push(performance.now() - start);
  });
})()"""


def place(n: int, turn: int) -> list[float]:
    """Where an entity is at a turn: on a grid, a little higher each time."""
    return [n % 32 - 16.0, 0.5 + turn % 7 * 0.1, n // 32 - 16.0]


async def measure(stack: Stack) -> dict[str, list[float]]:
    """Costs in ms, by job: commits of one, commits of many, and the frames meanwhile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        ada = await window(browser, 900, 600)
        await ada.page.add_init_script(TIMING)
        link = await create_room(ada, stack.base_url, "Ada", "Benchmark")
        await ada.until("h.editor && h.document.state === 'synced'", timeout_s=60)
        found: dict[str, list[float]] = {}
        async with Api(stack.base_url) as api:
            robot = await api.guest("Robot")
            async with await DocumentClient.open(api, robot, link.rsplit("/", 1)[1]) as scene:
                ids = [scene.new_id() for _ in range(ENTITIES)]
                for start in range(0, ENTITIES, AT_ONCE):
                    made: list[Operation] = [
                        Create(id=ids[n], props={"type": "box", "position": place(n, 0)})
                        for n in range(start, start + AT_ONCE)
                    ]
                    await scene.edit(made)
                    await scene.settled()
                await ada.until(f"h.document.entities === {ENTITIES}", timeout_s=60)
                for many in (1, AT_ONCE):
                    await ada.page.evaluate("window.__costs.commits.length = window.__costs.frames.length = 0")
                    for turn in range(1, ROUNDS + 1):
                        moved = [(turn * many + n) % ENTITIES for n in range(many)]
                        await scene.edit([Set(id=ids[n], path=("position",), value=place(n, turn)) for n in moved])
                        await asyncio.sleep(EVERY_S)
                    await scene.settled()
                    costs = json.loads(await ada.page.evaluate("JSON.stringify(window.__costs)"))
                    found[f"commit_of_{many}"] = costs["commits"][WARM_UP:]
                    found[f"frame_during_{many}"] = costs["frames"]
        await browser.close()
        return found


def main() -> Report:
    """One remote commit that moves one of 1,000 entities, and one that moves 100 of them."""
    report = Report("documents-page")
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed (apt-get install chromium)")
    with Stack() as stack:
        found = asyncio.run(measure(stack))
    for job, costs in found.items():
        for p in (50, 99):
            report.figure(f"{job}_p{p}_ms", percentile(costs, p), "ms")
        report.figure(f"{job}_measured", len(costs), "times")
    return report
