import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(import.meta.url)

export default defineConfig({
  resolve: {
    conditions: ['@action.do/source'],
    // vite resolves graphql's ESM and node its CommonJS: two copies refuse each other's schemas
    alias: { graphql: require.resolve('graphql') },
  },
  ssr: { resolve: { conditions: ['@action.do/source'] } },
  test: {
    include: ['test/**/*.test.ts', 'sdk/test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
