import { join } from 'node:path'
import { inject } from 'vitest'

/** What Node is given to execute one of the programs that `bundles.ts` makes. */
export function argumentsOf(program: string): string[] {
  return ['--enable-source-maps', join(inject('programs'), `${program}.js`)]
}
