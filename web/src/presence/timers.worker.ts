/** A clock that keeps its pace while the tab is hidden, so that pings go out and the peer does not expire. */

interface Order {
  id: number;
  ms: number;
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  setTimeout(() => self.postMessage(data.id), data.ms);
};
