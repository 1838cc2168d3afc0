/** The remote worker of the benchmark, in a process of its own. */
import { Worker } from '../sdk/src/worker/index.ts'

const [url = '', apiKey = ''] = process.argv.slice(2)

const worker = new Worker({ url, apiKey, concurrency: 200, actions: { pulled: { run: () => ({ ok: true }) } } })
await worker.start()
console.log(JSON.stringify({ id: worker.id }))
// whoever started this process holds its stdin
process.stdin.resume().on('end', () => void worker.stop().then(() => process.exit(0)))
