import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const require = createRequire(import.meta.url)

/** Tests that replace a module, or need one in its first state. */
const ISOLATED = '**/*.isolated.test.ts'

/** `isolate`: whether each file has a process of its own. With all that the server imports, that is a quarter of what they take. */
function project(name: string, files: { include: string[]; exclude: string[]; isolate: boolean }) {
  return {
    resolve: {
      conditions: ['@action.do/source'],
      // vite resolves graphql's ESM and node its CommonJS: two copies refuse each other's schemas
      alias: { graphql: require.resolve('graphql') },
    },
    ssr: { resolve: { conditions: ['@action.do/source'] } },
    test: { ...files, name, testTimeout: 30_000, hookTimeout: 60_000 },
  } satisfies TestProjectInlineConfiguration
}

export default defineConfig({
  test: {
    // also on two cores: most tests wait for processes and the database
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      project('shared', {
        include: ['test/**/*.test.ts', 'sdk/test/**/*.test.ts', 'examples/**/*.test.ts'],
        exclude: [ISOLATED],
        isolate: false,
      }),
      project('isolated', { include: ['test/**/*.isolated.test.ts'], exclude: [], isolate: true }),
    ],
  },
})
