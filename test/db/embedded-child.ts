// A server process in miniature: starts the embedded Postgres, tells so, and stops it when it is told to.
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../src/db/embedded/start.ts'

const dataDir = process.argv[2]!
const rounds = Number(process.argv[3] ?? 1)
const log = pino({ level: 'silent' })

for (let round = 1; round < rounds; round++) await (await startEmbeddedPostgres({ dataDir, log })).stop()

const postgres = await startEmbeddedPostgres({ dataDir, log, settings: { fsync: 'off' } })
console.log(JSON.stringify(postgres.connection))
for await (const line of createInterface({ input: process.stdin })) if (line === 'stop') break
await postgres.stop()
process.exit(0)
