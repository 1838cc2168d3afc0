import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { newRunId } from '../../src/core/ids.ts'
import { connect, MIN_CONNECTIONS } from '../../src/db/client.ts'
import { Hints } from '../../src/events/hints.ts'
import { Hub } from '../../src/events/hub.ts'
import { testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

/** Two nodes of one database: what the first sends, the hub of the second hears. */
async function twoNodes(): Promise<{ sender: Hints; hub: Hub }> {
  const url = await testDatabase()
  const hub = new Hub()
  const nodes = ['one', 'two'].map((node) => {
    const db = connect(url, MIN_CONNECTIONS)
    const hints = new Hints(db, node, pino({ level: 'silent' }))
    onTestFinished(() => hints.stop().then(() => db.close(1)))
    return hints
  })
  await nodes[1]!.listen(
    ({ roots }) => hub.heard(roots),
    () => {},
  )
  return { sender: nodes[0]!, hub }
}

test('a hint wakes who watches one of its roots, and nobody else', async () => {
  const { sender, hub } = await twoNodes()
  const [changed, other] = [newRunId(), newRunId()]
  const woken: string[] = []
  for (const root of [changed, other]) hub.watch(root, () => woken.push(root))
  sender.send({ roots: [changed] })
  await until(() => woken.length > 0)
  expect(woken).toEqual([changed])
})

test('more roots than fit into a hint wake everybody: nobody waits for the next poll', async () => {
  const { sender, hub } = await twoNodes()
  const roots = Array.from({ length: 500 }, newRunId)
  const woken = new Set<string>()
  for (const root of roots) hub.watch(root, () => woken.add(root))
  sender.send({ roots })
  await until(() => woken.size === roots.length)
})

test('who watches all roots is told of those that a full hint names, and of nothing that is no root', async () => {
  const { sender, hub } = await twoNodes()
  const roots = Array.from({ length: 500 }, newRunId)
  const told: string[] = []
  hub.watchAll((rootIds) => told.push(...rootIds))
  sender.send({ roots })
  await until(() => told.length > 0)
  expect(roots.slice(0, told.length)).toEqual(told)
})
