/** The server, in a process of its own; it streams what others write, and executes nothing. Argument: the database's URL. */
import { serve } from '../../src/index.ts'
import { BENCH_KEY } from '../bench-key.ts'
import { answerCalls, usage } from './children.ts'

const [databaseUrl = ''] = process.argv.slice(2)
const server = await serve({
  databaseUrl,
  port: 0,
  role: 'api',
  apiKey: BENCH_KEY,
  logLevel: 'warn',
  printBanner: false,
  handleSignals: false,
})

/** What this node does with what it commits itself. */
function announce(rootIds: readonly string[]): void {
  for (const rootId of rootIds) server.executor.hub.announce(rootId)
}

answerCalls({ url: () => server.url, usage, announce }, () => server.stop())
