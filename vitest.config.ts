import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
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
    // also on two cores: most tests wait for processes and the database
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
