// Takes a lock again and again, or until it is killed, and notes when it has it: two notes at once would be a breach.
import { appendFileSync } from 'node:fs'
import { withLock } from '../../src/db/embedded/lock.ts'

const [path, notes, rounds] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])]

for (let round = 0; round < rounds; round++) {
  await withLock(path, AbortSignal.timeout(20_000), async () => {
    appendFileSync(notes, `in ${process.pid}\n`)
    if (round === 0) console.log('has it')
    await new Promise((resolve) => setImmediate(resolve))
    appendFileSync(notes, `out ${process.pid}\n`)
  })
}
