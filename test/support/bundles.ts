import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const TEST = fileURLToPath(new URL('..', import.meta.url))

/** The programs that tests start as processes of their own: where they are, and how their files' names end. */
const PROGRAMS = [
  ['support/fixtures', '.ts'],
  ['db', '-child.ts'],
] as const

/** As far from the root as what they are made of: the server finds its migrations by where its code is. */
const PLACE = fileURLToPath(new URL('../.bundles-', import.meta.url))

/** Each of the programs in a file of its own name: a server starts in half of the time that its hundreds of files take. */
export interface Bundles {
  readonly folder: string
  make(): Promise<void>
  remove(): Promise<void>
}

export async function bundlesOfPrograms(): Promise<Bundles> {
  const folder = await mkdtemp(PLACE)
  const entryPoints = (
    await Promise.all(PROGRAMS.map(([place, ending]) => programsIn(join(TEST, place), ending)))
  ).flat()
  return {
    folder,
    async make() {
      await build({
        entryPoints,
        outdir: folder,
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        packages: 'external',
        sourcemap: true,
        logLevel: 'warning',
      })
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function programsIn(folder: string, ending: string): Promise<{ in: string; out: string }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending))
  return names.map((name) => ({ in: join(folder, name), out: basename(name, '.ts') }))
}
