import { cpSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** /api/docs loads its viewer from the page's own origin: the build brings it along. */
const vendor = {
  name: "holodeck-vendor",
  apply: "build" as const,
  closeBundle(): void {
    mkdirSync(here("./dist/vendor"), { recursive: true });
    cpSync(here("./node_modules/rapidoc/dist/rapidoc-min.js"), here("./dist/vendor/rapidoc-min.js"));
  },
};

const backend = process.env.HOLODECK_BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vendor],
  build: {
    target: "es2022",
    sourcemap: false,
    chunkSizeWarningLimit: 800,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": { target: backend },
      "/ws": { target: backend, ws: true },
    },
  },
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 10_000,
    coverage: {
      provider: "v8",
      include: [
        "src/peers/**",
        "src/presence/**",
        "src/peers/adaptation.ts",
        "src/peers/getstats.ts",
        "src/peers/quality.ts",
        "src/peers/watch.ts",
        "src/peers/ways.ts",
        "src/motion/**",
        "src/wire/client.ts",
        "src/identity/**",
        "src/ot/**",
        "src/sync/**",
        "src/voice/**",
      ],
      reporter: ["text-summary"],
    },
  },
});
