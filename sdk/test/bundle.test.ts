import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

it.each([
  ['@do-sdk/core', 'index.ts', 20_000],
  ['@do-sdk/core/service', 'service/index.ts', 20_000],
  ['@do-sdk/core/worker', 'worker/index.ts', 32_000],
])('%s bundles for browsers and the edge without a Node built-in, small', async (name, entry, maxBytes) => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports)
  expect(imports.filter((each) => each.external || !each.path.startsWith('sdk/src/'))).toEqual([])
  console.info(`${name}, minified: ${outputFiles[0]!.contents.length} bytes`)
  expect(outputFiles[0]!.contents.length).toBeLessThan(maxBytes)
})
