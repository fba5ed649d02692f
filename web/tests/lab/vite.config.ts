/** A page of its own for tests of sound: the real parts, without a room. Never in the product: `npm run build` knows nothing of it. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: { target: "es2022", emptyOutDir: true },
});
