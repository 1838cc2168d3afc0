// Builds what is published: dist/ of the server and of the SDK. Plain JavaScript, so that it runs before anything is built.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGraphiql } from './build-graphiql.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')

for (const project of ['sdk/tsconfig.json', 'tsconfig.build.json']) {
  const dist = join(root, dirname(project), 'dist')
  rmSync(dist, { recursive: true, force: true })
  execFileSync(process.execPath, [tsc, '-p', join(root, project)], { stdio: 'inherit', cwd: root })
}

buildGraphiql(root)
